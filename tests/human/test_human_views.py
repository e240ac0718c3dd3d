"""A person who holds a cube up, without whom it falls: views, quadmask, layers, and the motion's own objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import box_man
import cv2
import numpy as np
import pytest
import trimesh
from box_man import CUBE, FRAMES, PERSON

from data_gen.assets.library import Library
from data_gen.human.kinds import kind_of
from data_gen.human.motion import Prop
from data_gen.human.props import StoredProp
from data_gen.human.workshop import PROP, HumanWorkshop
from data_gen.scene.config import ChangeConfig
from data_gen.scene.label import Views, moved, physics_layer, views_of
from data_gen.scene.mask import noise_level, quadmask
from data_gen.scene.preview import PreviewRenderer
from data_gen.scene.render import BlenderRenderer
from data_gen.scene.simulate import World
from data_gen.scene.spec import SceneSpec
from void.quadmask import Quadmask

HELD, FALLING = 1.3, (1.3, 0.9, 0.25)
UPRIGHT = np.tile([1.0, 0.0, 0.0, 0.0], (FRAMES, 1))


def worlds() -> tuple[World, World]:
    full = box_man.world(box_man.walk())
    held = np.tile([1.0, 0.0, HELD], (FRAMES, 1))
    falling = np.array([(1.0, 0.0, z) for z in FALLING])
    return replace(full, positions={**full.positions, CUBE: held}), World({CUBE: falling}, {CUBE: UPRIGHT}, ())


def scene() -> SceneSpec:
    light = replace(box_man.LIGHT, sun=3.0, sun_position=(2.0, -3.0, 4.0))
    return box_man.scene(light=light, backdrop=box_man.ROOM)


def labelled_by(views: Views, config: ChangeConfig) -> Quadmask:
    full, without = worlds()
    moved_TN = moved(scene(), full, without)
    mask, _ = quadmask(
        views.full, views.without, views.hidden, [PERSON], moved_TN, config, behind_THWC=views.behind_THWC
    )
    return mask


@pytest.fixture(scope="module", params=[BlenderRenderer, PreviewRenderer])
def views(request: pytest.FixtureRequest, library: Library, tmp_path_factory: pytest.TempPathFactory) -> Views:
    renderer = request.param(scene(), box_man.workshop(library), tmp_path_factory.mktemp("views"))
    return views_of(renderer, *worlds())


@pytest.fixture(scope="module")
def labelled(views: Views) -> tuple[Views, Quadmask]:
    return views, labelled_by(views, ChangeConfig())


def test_every_visible_change_is_in_the_mask(views: Views) -> None:
    config = ChangeConfig()
    change_THW = np.abs(views.full.rgb_THWC.astype(np.int16) - views.without.rgb_THWC).max(axis=-1)
    threshold_T = np.maximum(config.min_change, config.noise_factor * noise_level(change_THW))
    changed_THW = change_THW > threshold_T[:, None, None]
    assert changed_THW.mean() > 0.03
    exact, clean = labelled_by(views, replace(config, min_speck=0.0)), labelled_by(views, config)
    assert (exact.primary_THW | exact.affected_THW)[changed_THW].all()
    # By default all but specks.
    for missed_HW in changed_THW & ~clean.primary_THW & ~clean.affected_THW:
        _, _, stats, _ = cv2.connectedComponentsWithStats(missed_HW.astype(np.uint8), connectivity=8)
        assert (stats[1:, cv2.CC_STAT_AREA] < config.min_speck * missed_HW.size).all()


def test_the_person_is_primary_and_their_shadow_is_affected(labelled: tuple[Views, Quadmask]) -> None:
    views, mask = labelled
    np.testing.assert_array_equal(mask.primary_THW, views.full.objects_THW == PERSON)
    assert (mask.primary_THW.sum(axis=(1, 2)) > 300).all()
    shadow_HW = mask.affected_THW[0] & (views.without.objects_THW[0] == -1) & (views.full.objects_THW[0] == -1)
    # In frame 0 the cube is where it was, so only the shadow can differ there; it lies on the floor.
    assert shadow_HW.sum() > 100
    assert (np.flatnonzero(shadow_HW.any(axis=1)) > 48).mean() > 0.5
    darker = views.full.rgb_THWC[0][shadow_HW].mean() - views.without.rgb_THWC[0][shadow_HW].mean()
    assert darker < -5


def test_the_falling_cube_is_affected_in_both_places(labelled: tuple[Views, Quadmask]) -> None:
    views, mask = labelled
    for view in (views.without, views.hidden):
        places_HW = view.objects_THW[2] == CUBE
        assert places_HW.sum() > 100 and mask.affected_THW[2][places_HW].all()
    assert not (views.hidden.objects_THW == PERSON).any()


def test_the_physics_layer_lacks_the_person_in_the_counterfactual() -> None:
    full, without = worlds()
    arrays = physics_layer(scene(), full, without)
    assert arrays["removed"].tolist() == [False, True]
    assert np.isnan(arrays["positions_removed"][:, PERSON]).all()
    np.testing.assert_array_equal(arrays["positions_full"][:, PERSON], full.positions[PERSON])
    assert moved(scene(), full, without).tolist() == [[False, False], [True, False], [True, False]]


def test_a_motions_objects_come_from_their_own_files(library: Library, tmp_path: Path) -> None:
    bar = trimesh.creation.box((0.4, 0.1, 0.9))
    bar.export(tmp_path / "visual_geometry.obj")
    low, high = (tuple(corner) for corner in bar.bounds)
    kwargs = {
        "bounds": (low, high),
        "render_filename": str(tmp_path / "visual_geometry.obj"),
        "simulation_filename": None,
        "render_import_kwargs": {"axis_forward": "Y", "axis_up": "Z"},
    }
    stored = StoredProp(kind_of("tray"), kwargs, np.zeros(3), bar.bounds[0], bar.bounds[1], 1.0, 1)
    motion = replace(
        box_man.motion(box_man.walk()), props=(Prop("bar.001", "bar", bar.vertices, bar.faces),),
        props_TN7=np.tile([1.0, 0.0, 0.45, 1.0, 0.0, 0.0, 0.0], (FRAMES, 1, 1)),
    )  # fmt: skip
    workshop = HumanWorkshop(library, motion, {0: stored})
    spec = box_man.scene()
    prop = replace(spec.objects[0], asset=f"{PROP}bar.001", scale=(1.0,) * 3, position=(1.0, 0.0, 0.45))
    spec = replace(spec, objects=(prop, spec.objects[1]))
    world = replace(worlds()[0], positions={**worlds()[0].positions, CUBE: np.tile([1.0, 0.0, 0.45], (FRAMES, 1))})
    shapes = []
    for kind in (BlenderRenderer, PreviewRenderer):
        view = kind(spec, workshop, tmp_path).render(world, [CUBE])
        rows, columns = np.nonzero(view.objects_THW[0] == CUBE)
        shapes.append((np.ptp(rows) + 1, np.ptp(columns) + 1))
    assert shapes[0][0] > 1.8 * shapes[0][1]
    np.testing.assert_allclose(*shapes, atol=1)
