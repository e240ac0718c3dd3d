"""LoRA files of any trainer: which layers they adapt, how strongly, and their matrices.

May import the other files of models; never pipelines or export, which use it. Imports no diffusers and no peft: a file
is checked in the time that its header takes to read.
"""

from __future__ import annotations

from void.models.lora.layers import linear_layers
from void.models.lora.names import is_lora_matrix
from void.models.lora.read import Lora, LoraLayer, lora_identity, open_lora, read_matrices
from void.models.lora.scales import peft_arguments

__all__ = [
    "Lora",
    "LoraLayer",
    "is_lora_matrix",
    "linear_layers",
    "lora_identity",
    "open_lora",
    "peft_arguments",
    "read_matrices",
]
