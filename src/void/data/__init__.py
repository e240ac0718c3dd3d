"""What training reads: data sets over the cache, and the order in which their samples come.

Order depends on `(seed, epoch, index)` alone, never on global state.
"""
