"""What scenes of both simulators are and how they become pairs: spec, physics, acceptance, views, quadmask, caption.

Knows neither where objects nor where motions come from: `rigid` and `human` draw the specs.
"""
