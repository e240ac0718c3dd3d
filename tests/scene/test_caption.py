"""Captions: true of the counterfactual, grammatical, varied, and silent about what was removed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from caption_scenes import (
    FPS,
    FRAMES,
    SIZE,
    Pose,
    camera,
    fall,
    landing,
    roll,
    scene,
    slide,
    surface,
    thing,
    topple,
    world,
)

from data_gen.rigid.families.config import FamiliesConfig
from data_gen.scene.camera import around, looking_at
from data_gen.scene.caption import MAX_BYTES, MAX_WORDS, MIN_WORDS, caption
from data_gen.scene.caption.words import article, ground, listed, noun, plural
from data_gen.scene.config import CAPTIONS, MOTIONS
from data_gen.scene.palette import FLOOR_COLORS, OBJECT_COLORS
from data_gen.scene.simulate import FLOOR, World
from data_gen.scene.spec import BackdropSpec, ObjectSpec, Role, SceneSpec

HINTS = {
    *("without", "missing", "gone", "remove", "removed", "absent", "instead", "vanish", "disappear", "deleted"),
    *("would", "empty", "longer", "gap"),
}
NAMES = (
    *("ball", "box", "mug", "bowl", "toy car", "domino", "vase", "umbrella", "hourglass", "plank", "shelf", "ramp"),
    "octahedron with a surprisingly long name",
)
FAMILIES = tuple(FamiliesConfig.__dataclass_fields__)
SINGULAR = r"(?:rolls|falls|drops|slides|glides|skids|topples|tumbles|stands|flies|sails|leans|tilts|stays|keeps|is)"
PLURAL = r"(?:roll|fall|drop|slide|glide|skid|topple|tumble|stand|fly|sail|lean|tilt|stay|keep|are)"
KINDS = ("stand", "slide", "roll", "topple", "fall")


def random_object(rng: np.random.Generator, role: Role) -> ObjectSpec:
    x, y = rng.uniform(-1.5, 1.5, 2)
    item = thing(str(rng.choice(NAMES)), None, role, x=float(x), y=float(y))
    if rng.random() < 0.2:
        return item
    first, second = rng.choice(list(OBJECT_COLORS), 2, replace=False)
    pattern = str(rng.choice(["plain", "plain", "checkered", "striped", "dotted", "mottled", "wood", "marble"]))
    return replace(item, surface=surface(str(first), pattern, str(second)))


def random_pose(rng: np.random.Generator, item: ObjectSpec) -> Pose:
    angle = rng.uniform(0, 2 * np.pi)
    way = (float(np.cos(angle)), float(np.sin(angle)), 0.0)
    fast = (way[0] * 1.5, way[1] * 1.5, 0.0)
    kind = rng.choice(KINDS)
    if kind == "slide":
        return slide(item, fast, start=int(rng.integers(0, 9)))
    if kind == "roll":
        return roll(item, fast, stop=int(rng.integers(6, FRAMES)))
    if kind == "topple":
        return topple(item, start=int(rng.integers(2, 9)), towards=way)
    return fall(item, 1.4, bounce=float(rng.choice([0.0, 0.4]))) if kind == "fall" else slide(item, (0.0, 0.0, 0.0))


def sampled(index: int) -> tuple[SceneSpec, World]:
    rng = np.random.default_rng(index)
    roles: tuple[Role, ...] = ("target", "removed", *rng.choice(["bystander", "removed"], int(rng.integers(1, 6))))
    objects = [random_object(rng, role) for role in roles]
    if rng.random() < 0.6:
        objects += [replace(objects[0], role="bystander", position=(1.0, 1.2, SIZE / 2))] * 2
    floor = surface(*(str(name) for name in rng.choice([*FLOOR_COLORS], 1)), str(rng.choice(["plain", "checkered"])))
    spec = scene(
        *objects, index=index, family=str(rng.choice(FAMILIES)), sky=str(rng.choice(["city", "sunset", "alps_field"]))
    )
    spec = replace(
        spec,
        camera=replace(spec.camera, motion=str(rng.choice(MOTIONS))),
        backdrop=BackdropSpec("floor", floor, 0.5, 0.2) if rng.random() < 0.8 else BackdropSpec("dome", None, 0.5, 0.2),
    )
    poses = {i: random_pose(rng, spec.objects[i]) for i in spec.survivors}
    pairs = [
        (float(rng.uniform(0, FRAMES - 2)), *sorted(map(int, rng.choice([FLOOR, *spec.survivors], 2, replace=False))))
        for _ in range(6)
    ]
    return spec, world(spec, poses, *pairs)


SAMPLED = [sampled(index) for index in range(200)]
CAPTIONED = {style: [caption(spec, worlds, style) for spec, worlds in SAMPLED] for style in CAPTIONS}


@pytest.mark.parametrize("style", CAPTIONS)
def test_grammar(style: str) -> None:
    for text in CAPTIONED[style]:
        assert re.fullmatch(r"([A-Z][^.]*\.)( [A-Z][^.]*\.)*", text), text
        assert "  " not in text and " ," not in text and ",," not in text, text
        assert not re.search(r"\ba [aeio]", text.lower()) and not re.search(r"\ban [^aeiouh]", text.lower()), text
        assert not re.search(r"boxs|shelfs|dominos\b|\b(two|three|four|five|six) (\w+ )?(domino|box|ball|mug) ", text)


def test_verbs_agree_with_their_subjects() -> None:
    seen: Counter[bool] = Counter()
    for text in CAPTIONED["full"]:
        for clause in text.split(". "):
            start = re.match(rf"(A|An|Another|Two|Three|Four|Five|Six) ([a-z ]+?) (?:{SINGULAR}|{PLURAL})\b", clause)
            if start and " and " not in start[2].replace(" and white", ""):
                seen[several := start[1] not in ("A", "An", "Another")] += 1
                assert several == bool(re.match(rf".*?\b{PLURAL}\b", start[0])), text
    assert min(seen[False], seen[True]) > 5


def test_length() -> None:
    assert {MIN_WORDS <= len(text.split()) <= MAX_WORDS for text in CAPTIONED["full"]} == {True}
    assert max(len(text.encode()) for text in CAPTIONED["short"]) <= MAX_BYTES


@pytest.mark.parametrize("style", CAPTIONS)
def test_silent_about_the_removed(style: str) -> None:
    tested = 0
    for (spec, _), text in zip(SAMPLED, CAPTIONED[style], strict=True):
        assert not HINTS & set(re.findall(r"[a-z]+", text.lower())), text
        alive = {noun(spec.objects[i]) for i in spec.survivors}
        for i in spec.removed:
            name = noun(spec.objects[i])
            if name not in alive and not any(name in other for other in alive):
                tested += 1
                assert name not in text.lower() and plural(name) not in text.lower(), text
    assert tested > 200


def test_a_short_name_is_not_that_of_a_removed_thing() -> None:
    striped = replace(thing("ball", "red", "target"), surface=surface("red", "striped", "blue"))
    spec = scene(striped, thing("ball", "red", "removed", y=1.0))
    assert caption(spec, world(spec), "short").startswith("A red and blue striped ball ")
    alone = scene(striped, thing("ball", "teal", "removed", y=1.0))
    assert caption(alone, world(alone), "short").startswith("A red ball ")


def test_same_scene_same_caption() -> None:
    for style in CAPTIONS:
        again = [caption(SceneSpec.from_dict(spec.to_dict()), worlds, style) for spec, worlds in SAMPLED]
        assert again == CAPTIONED[style]


def test_variety() -> None:
    assert len(set(CAPTIONED["full"])) >= 0.98 * len(SAMPLED)
    spec = scene(thing("ball", "red", "target"), thing("box", "blue", y=1.0))
    told = {caption(replace(spec, index=index), world(spec)) for index in range(100)}
    assert len(told) > 30


TO_THE = {"left": (0.0, -1.2, 0.0), "right": (0.0, 1.2, 0.0), "nearer": (1.2, 0.0, 0.0), "farther": (-1.2, 0.0, 0.0)}
SAID = {
    "left": r"to(wards)? the left",
    "right": r"to(wards)? the right",
    "nearer": r"(towards|closer to) the camera",
    "farther": r"away from the camera|into the background",
}


@pytest.mark.parametrize("style", CAPTIONS)
@pytest.mark.parametrize("way", TO_THE)
def test_direction(way: str, style: str) -> None:
    spec = scene(thing("ball", "red", "target"), thing("box", "blue", "removed", x=1.0))
    text = caption(spec, world(spec, {0: roll(spec.objects[0], TO_THE[way])}), style)
    assert [other for other, said in SAID.items() if re.search(rf"rolls ({said})", text)] == [way]


@pytest.mark.parametrize("side", ["left", "right"])
def test_direction_is_of_the_picture(side: str) -> None:
    """Seen from behind, left is right; where the camera goes along, neither is said."""
    spec = scene(thing("ball", "red", "target"), thing("box", "blue", "removed", x=1.0))
    moving = world(spec, {0: slide(spec.objects[0], TO_THE[side])})
    behind = around(5.0, np.pi, 3.0)
    turned = replace(spec.camera, positions=(behind,), quaternions=(looking_at(behind, (0.0, 0.0, 0.2)),))
    other = {"left": "right", "right": "left"}[side]
    assert f"the {other}" in caption(replace(spec, camera=turned), moving, "short")
    ((x, y, z),) = spec.camera.positions
    along = replace(
        spec.camera,
        positions=tuple((x, y + TO_THE[side][1] * frame / FPS, z) for frame in range(FRAMES)),
        quaternions=spec.camera.quaternions * FRAMES,
    )
    text = caption(replace(spec, camera=along), moving, "short")
    assert "the left" not in text and "the right" not in text


def test_what_comes_into_the_picture() -> None:
    outside = thing("ball", "red", "target", y=-4.5)
    spec = scene(outside, thing("box", "blue", "removed", x=1.0))
    text = caption(spec, world(spec, {0: roll(outside, (0.0, 3.0, 0.0))}), "short")
    assert text == "A red ball rolls in from the left on a grey floor."
    thrown = replace(outside, velocity=(0.0, 4.0, 0.0))
    positions_T3, quaternions_T4 = fall(thrown, 1.4)
    positions_T3[:, 1] += np.linspace(0, 5, FRAMES)
    spec = replace(spec, objects=(thrown, spec.objects[1]))
    text = caption(spec, world(spec, {0: (positions_T3, quaternions_T4)}), "short")
    assert re.fullmatch(r"A red ball (flies|sails) in from the left on a grey floor\.", text)


BALL, BOX, LOST = thing("ball", "red", "target", y=-1.0), thing("box", "blue", y=0.5), thing("vase", "teal", "removed")
COMES = roll(BALL, (0.0, 1.2, 0.0), stop=10)
TOLD = [
    ({}, (), r"(a red ball and a blue box|the red ball and the blue box) (stand still|stay in place)"),
    ({0: COMES}, ((9.0, 0, 1),), r"a red ball rolls \S+ the right and (bumps|runs|comes up) (into|against) a blue box"),
    ({0: COMES, 1: topple(BOX, start=10)}, ((9.0, 0, 1),), r"rolls \S+ the right and (knocks|tips) over a blue box"),
    (
        {0: COMES, 1: slide(BOX, (0.0, 2.0, 0.0), start=10)},
        ((9.0, 0, 1),),
        r"(hits|strikes|bumps into) a blue box, which (slides|glides|skids) \S+ the right",
    ),
    ({0: fall(BALL, 1.4, bounce=0.3)}, ((landing(1.4), FLOOR, 0),), r"(falls|drops) to the floor and bounces"),
    ({0: fall(BALL, 1.4)}, ((landing(1.4), 0, 1),), r"a red ball (falls|drops) onto a blue box"),
    ({0: roll(BALL, (0.0, -3.0, 0.0))}, (), r"rolls \S+ the left and (leaves the picture|goes out of view)"),
    ({0: COMES}, (), r"rolls \S+ the right and comes to (rest|a stop)"),
]


@pytest.mark.parametrize(("poses", "contacts", "expected"), TOLD)
def test_what_happens(poses: dict[int, Pose], contacts: tuple[tuple[float, int, int], ...], expected: str) -> None:
    for index in range(10):
        spec = scene(BALL, BOX, LOST, index=index)
        assert re.search(expected, caption(spec, world(spec, poses, *contacts)), re.IGNORECASE)


def test_a_row_of_dominoes() -> None:
    row = [thing("domino", "red", "removed" if i == 3 else "bystander", y=-1.5 + 0.4 * i) for i in range(7)]
    spec = scene(replace(row[0], role="target"), *row[1:], family="chain")
    half = {i: topple(row[i], start=3 + i) for i in (0, 1, 2)}
    contacts = ((5.0, 0, 1), (6.0, 1, 2))
    halves = caption(spec, world(spec, half, *contacts))
    assert re.search(r"three of six red dominoes in a row \w+ over .* while the other three \w+", halves, re.IGNORECASE)
    all_over = half | {i: topple(row[i], start=3 + i) for i in (4, 5, 6)}
    whole = caption(spec, world(spec, all_over, *contacts))
    assert re.search(
        r"six red dominoes in a row (topple|tip|fall) over (one after another|in turn)", whole, re.IGNORECASE
    )


def test_a_row_that_is_still_falling_is_not_said_to_stay_up() -> None:
    row = [thing("domino", "red", "target" if i == 0 else "bystander", y=-1.5 + 0.4 * i) for i in range(5)]
    spec = scene(*row, BALL, LOST, family="chain")
    poses = {0: topple(row[0]), 1: topple(row[1]), 2: slide(row[2], (0.0, 0.5, 0.0))}
    text = caption(spec, world(spec, poses)).lower()
    assert "two of five red dominoes in a row" in text and "other three" not in text
    pushed = caption(spec, world(spec, {5: COMES}, (9.0, 0, 5))).lower()
    assert re.search(r"a row of five red dominoes(\.|, which (stays?|keeps?) \w+)", pushed)


def test_things_that_do_the_same_at_once_are_told_of_together() -> None:
    egg, star = thing("egg", "navy", "target"), thing("star", "cyan", y=1.0)
    spec = scene(egg, star, LOST)
    drops = {0: fall(egg, 1.4), 1: fall(star, 1.4)}
    contacts = ((landing(1.4), FLOOR, 0), (landing(1.4), FLOOR, 1))
    text = caption(spec, world(spec, drops, *contacts)).lower()
    assert re.search(r"a navy egg and a cyan star (fall|drop) to the floor", text)
    apart = caption(spec, world(spec, {0: fall(egg, 1.4), 1: roll(star, (0.0, 1.0, 0.0))}, contacts[0])).lower()
    assert re.search(r"a navy egg (falls|drops) to the floor", apart) and "a cyan star rolls" in apart


def test_short_captions_shorten_the_story_not_the_names() -> None:
    thrown = replace(thing("octahedron with a long name", "red", "target", y=-1.0), velocity=(0.0, 3.0, 0.0))
    positions_T3, quaternions_T4 = fall(thrown, 1.4, bounce=0.4)
    positions_T3[:, 1] += np.linspace(0, 2, FRAMES)
    spec = scene(thrown, LOST)
    worlds = world(spec, {0: (positions_T3, quaternions_T4)}, (landing(1.4), FLOOR, 0))
    assert re.fullmatch(
        r"A red octahedron with a long name (flies|sails) over a grey floor\.", caption(spec, worlds, "short")
    )


def test_setting_light_and_camera() -> None:
    spec = scene(BALL, BOX, LOST, sky="sunset")
    checkered = replace(spec.backdrop, surface=surface("grey", "checkered", "white"))
    text = caption(replace(spec, backdrop=checkered, camera=camera("dolly_in", (3.5, 0.0, 3.0))), world(spec))
    assert "grey and white checkered floor" in text and re.search("evening|sunset", text)
    assert re.search(r"camera (moves in|comes closer|glides forwards)", text)


WORDS = [
    ("a", article("unicorn")), ("an", article("hourglass")), ("an", article("orange box")), ("a", article("usb stick")),
    ("toy cars", plural("toy car")), ("shelves", plural("shelf")), ("dominoes", plural("domino")),
    ("boxes", plural("box")), ("benches", plural("bench")), ("toys", plural("toy")), ("cherries", plural("cherry")),
    ("a, b and c", listed(["a", "b", "c"])), ("a and b", listed(["a", "b"])), ("a", listed(["a"])),
    ("mug", noun(thing("mug", None))), ("red mug", noun(thing("mug", "red"))),
    ("dark wooden mug", noun(replace(thing("mug", "red"), surface=surface("walnut", "wood")))),
    ("metallic red mug", noun(replace(thing("mug", "red"), surface=replace(surface("red"), metallic=1.0)))),
    ("red and white striped mug", noun(replace(thing("mug", "red"), surface=surface("red", "striped")))),
    ("red mug", noun(replace(thing("mug", "red"), surface=surface("red", "striped")), brief=True)),
    ("the ground", ground(BackdropSpec("dome", None, 0.5, 0.2))),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "said"), WORDS)
def test_words(expected: str, said: str) -> None:
    assert said == expected
