#!/usr/bin/env bash
# Train a recipe of the bundled weights on a machine with a GPU, in calls of limited time:
#   bash weights/gpu.sh RECIPE [MINUTES]
# in the repository's root, beside the folder `.weights/gpu/` of `python weights/gpu.py pack`. RECIPE is
# landcover, controlnet or spade; segmentation needs GDAL. The machine needs Python 3.11 or later with torch (CUDA),
# torchvision, timm, accelerate, numpy, Pillow and Jinja2, and neither a network nor GDAL. MINUTES (8.5 by default) after
# its start the training is stopped with a checkpoint. What goes back lies in the folder $OUT, at most 8 files of at
# most 15 MB, for `python weights/gpu.py restore`. Nothing needs to stay on the machine between calls.
# PYTHON names the interpreter; LANDFORGE_DEVICE=cpu trains without a GPU.
set -euo pipefail
recipe=$1 minutes=${2:-8.5}
: "${OUT:?the folder for the results}" "${PYTHON:=python3}"
export PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1
mkdir -p "$OUT"
"$PYTHON" weights/gpu.py unpack "$recipe"
trap '"$PYTHON" weights/gpu.py collect "$recipe" "$OUT"' EXIT # after a failure too: the last checkpoint is worth having
seconds=$("$PYTHON" -c "print(max(1, round(60 * $minutes - $SECONDS)))")
echo "unpacked after $SECONDS s, training for $seconds s"
status=0
timeout --signal=TERM --kill-after=45 "$seconds" "$PYTHON" weights/gpu.py train "$recipe" >"$OUT/$recipe.log" 2>&1 || status=$?
tail -n 5 "$OUT/$recipe.log"
[ "$status" -eq 0 ] || [ "$status" -eq 124 ] # 124: the time was up
