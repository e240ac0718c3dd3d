"""The phrasings that captions choose among. Verbs are pairs: of one thing, of several."""

from __future__ import annotations

from data_gen.scene.caption.events import Direction, Motion

Verb = tuple[str, str]

VERBS: dict[Motion, tuple[Verb, ...]] = {
    Motion.stands: (("stands still", "stand still"), ("stays in place", "stay in place")),
    Motion.tilts: (("tilts", "tilt"), ("leans over", "lean over")),
    Motion.topples: (("topples over", "topple over"), ("tips over", "tip over"), ("falls over", "fall over")),
    Motion.slides: (("slides", "slide"), ("glides", "glide"), ("skids", "skid")),
    Motion.rolls: (("rolls", "roll"),),
    Motion.tumbles: (("tumbles", "tumble"),),
    Motion.falls: (("falls", "fall"), ("drops", "drop")),
    Motion.flies: (("flies", "fly"), ("sails", "sail")),
}
TOWARDS: dict[Direction, tuple[str, ...]] = {
    Direction.left: ("to the left", "towards the left"),
    Direction.right: ("to the right", "towards the right"),
    Direction.nearer: ("towards the camera", "closer to the camera"),
    Direction.farther: ("away from the camera", "into the background"),
}
FROM = {
    Direction.left: "in from the right",
    Direction.right: "in from the left",
    Direction.nearer: "in from the background",
    Direction.farther: "in from the front",
}
TOGETHER = ("one after another", "in turn")
STAYS = (("stays in place", "stay in place"), ("does not move", "do not move"), ("holds still", "hold still"))
STAYS_UP = (("stays up", "stay up"), ("stays upright", "stay upright"), ("keeps standing", "keep standing"))
MOVES = (("moves", "move"), ("is shifted", "are shifted"))
KNOCKS_OVER = (("knocks over", "knock over"), ("tips over", "tip over"))
BUMPS = (("bumps into", "bump into"), ("runs into", "run into"), ("comes up against", "come up against"))
STRIKES = (("hits", "hit"), ("strikes", "strike"), ("bumps into", "bump into"))
HITS = (("hits", "hit"), ("strikes", "strike"))
LANDS = (("lands", "land"), ("comes down", "come down"))
COLLIDES = (("collides with", "collide with"), ("meets", "meet"))
STANDS_THERE = (("stands", "stand"), ("is", "are"), ("can be seen", "can be seen"))
COMES_TO_REST = (("comes to rest", "come to rest"), ("comes to a stop", "come to a stop"))
LEAVES = (("leaves the picture", "leave the picture"), ("goes out of view", "go out of view"))
BOUNCES = (("bounces", "bounce"), ("bounces up again", "bounce up again"))

CAMERA: dict[str, tuple[str, ...]] = {
    "static": ("the camera is still", "the camera does not move", "it is seen by a fixed camera"),
    "dolly_in": ("the camera moves in slowly", "the camera comes closer", "the camera glides forwards"),
    "dolly_out": ("the camera pulls back", "the camera moves back slowly", "the camera glides backwards"),
    "orbit_left": ("the camera circles to the left", "the camera moves around the scene to its left"),
    "orbit_right": ("the camera circles to the right", "the camera moves around the scene to its right"),
    "zoom_in": ("the camera moves in", "the camera comes closer", "the camera glides forwards"),
    "zoom_out": ("the camera pulls back", "the camera moves back", "the camera glides backwards"),
    "circular": ("the camera circles around the scene", "the camera moves around the scene"),
    "linear_left": ("the camera travels to the left", "the camera slides to the left"),
    "linear_right": ("the camera travels to the right", "the camera slides to the right"),
    "handheld": ("the handheld camera sways a little", "it is filmed by hand, with a slight sway"),
}
SETTING = ("the scene is set on {ground}{light}", "all this is on {ground}{light}", "below lies {ground}{light}")

LIGHT: dict[str, tuple[str, ...]] = {
    "studio": ("in studio light", "in even studio light"),
    "sunset": ("in evening light", "in the light of a sunset"),
    "sunrise": ("in morning light", "in the light of a sunrise"),
    "night": ("in the light of a city at night", "in night-time light"),
    "forest": ("in the light of a forest", "in forest light"),
    "city": ("in city daylight", "in the daylight of a city"),
    "courtyard": ("in the light of a courtyard", "in courtyard daylight"),
    "interior": ("in indoor light", "in the light of a room"),
    "indoor": ("in indoor light", "in the light of a room"),
}
"""By what the name of the sky contains."""
SUNLIGHT = ("in sunlight", "in bright sunlight")
DAYLIGHT = ("in soft light", "in ambient light")
