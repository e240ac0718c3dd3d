"""What every simulator needs of Blender: Kubric on a current bpy, camera, light, material."""
