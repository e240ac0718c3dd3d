"""Where worker processes run: on this machine or on a Ray cluster, behind one interface, with one driver for both.

A worker process takes a request (JSON) and gives an answer (JSON); what is in them is not this room's business, except
for the driver, which knows scenes.
"""
