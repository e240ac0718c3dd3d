"""The simulators that make counterfactual pairs. They import `void` for file formats; `void` never imports them."""
