"""What a run will cost on a GPU that need not be at hand: counted on the meta device, nothing measured.

No weights are read and no pixels are made here.
"""
