"""What scenes are made of: shapes, skies, backdrops. Both simulators use it.

Kubric's own manifests, of the embedded pack built here or fetched from a bucket. Imports neither Blender nor PyBullet.
"""
