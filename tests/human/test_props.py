"""Objects of motions as files for Kubric."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import coacd
import numpy as np
import pybullet
import pytest
import trimesh
from tabletop import as_prop, box, mug, table

from data_gen.assets.solids import egg
from data_gen.human.kinds import DENSITIES, kind_of
from data_gen.human.motion import Prop
from data_gen.human.pieces import thickened
from data_gen.human.props import PropStore, StoredProp


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("props")


def dropped(below: StoredProp, above: StoredProp, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Where both are a second after the second is let go above the first, which stands on the floor."""
    client = pybullet.connect(pybullet.DIRECT)
    pybullet.setGravity(0, 0, -9.81)
    pybullet.createMultiBody(
        0, pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=[5, 5, 1]), basePosition=[0, 0, -1]
    )
    bodies = []
    for item, z in ((below, -below.low_3[2]), (above, height)):
        body = pybullet.loadURDF(item.kwargs["simulation_filename"])
        pybullet.changeDynamics(body, -1, mass=item.mass)
        pybullet.resetBasePositionAndOrientation(body, item.centre_3 * (1, 1, 0) + (0, 0, z), (0, 0, 0, 1))
        bodies.append(body)
    for _ in range(240):
        pybullet.stepSimulation()
    places = [np.array(pybullet.getBasePositionAndOrientation(body)[0]) for body in bodies]
    pybullet.disconnect(client)
    return places[0], places[1]


def test_a_hollow_mug_holds_a_ball(folder: Path) -> None:
    store = PropStore(folder)
    vessel, ball = store.add(mug()), store.add(as_prop(egg(1.5, 1.5, 1.5), "ball"))
    below, above = dropped(vessel, ball, 0.15)
    assert np.linalg.norm(above[:2]) < 0.025
    assert above[2] == pytest.approx(0.005 + 0.015, abs=0.004)
    assert below[2] == pytest.approx(-vessel.low_3[2], abs=0.003)


def test_a_thing_on_a_table_stands_at_its_height(folder: Path) -> None:
    store = PropStore(folder)
    top, thing = store.add(table()), store.add(box())
    below, above = dropped(top, thing, 0.73 + 0.06)
    assert above[2] == pytest.approx(0.73 + 0.05, abs=0.003)
    assert below[2] == pytest.approx(-top.low_3[2], abs=0.003)
    assert top.pieces < 20


def test_files_are_centred_on_the_centre_of_mass(folder: Path) -> None:
    stored = PropStore(folder).add(box())
    np.testing.assert_allclose(stored.centre_3, (0, 0, 0.05), atol=1e-9)
    np.testing.assert_allclose([stored.low_3, stored.high_3], [[-0.05] * 3, [0.05] * 3], atol=1e-9)
    np.testing.assert_allclose(stored.kwargs["bounds"], [[-0.05] * 3, [0.05] * 3], atol=1e-9)
    assert stored.pieces == 1
    for name in ("render_filename", "simulation_filename"):
        assert Path(stored.kwargs[name]).is_file()


def test_the_same_mesh_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    first, second = (
        Path(PropStore(place).add(mug()).kwargs["simulation_filename"]).parent for place in (folder, tmp_path)
    )
    assert first.name == second.name
    assert {file.name: file.read_bytes() for file in first.iterdir()} == {
        file.name: file.read_bytes() for file in second.iterdir()
    }
    assert Path(PropStore(tmp_path).add(box()).kwargs["render_filename"]).parent.name != first.name


def noisy(prop: Prop, seed: int, scale: float) -> Prop:
    shift_V3 = np.random.default_rng(seed).uniform(-scale, scale, prop.vertices_V3.shape)
    return replace(prop, vertices_V3=prop.vertices_V3 + shift_V3)


def test_float_noise_makes_no_new_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mug as ten files have it is decomposed once; one that is larger by a millimetre is another."""
    calls = []
    decompose = coacd.run_coacd
    monkeypatch.setattr(coacd, "run_coacd", lambda *args, **settings: calls.append(1) or decompose(*args, **settings))
    store = PropStore(tmp_path)
    first = store.add(mug())
    assert len(calls) == 1
    for seed in range(10):
        stored = store.add(noisy(mug(), seed, 3e-7))
        assert stored.kwargs["simulation_filename"] == first.kwargs["simulation_filename"]
    assert len(calls) == 1
    larger = replace(mug(), vertices_V3=mug().vertices_V3 * 1.01)
    for prop in (larger, noisy(larger, 0, 3e-7)):
        assert store.add(prop).kwargs["simulation_filename"] != first.kwargs["simulation_filename"]
    assert len(calls) == 2
    np.testing.assert_allclose(store.add(larger).high_3, first.high_3 * 1.01, rtol=1e-6)


def test_several_processes_want_one(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        names = pool.map(_added, [tmp_path] * 4)
    assert len(set(names)) == 1
    assert [item.name for item in tmp_path.iterdir() if not item.name.startswith(".")] == [Path(names[0]).parent.name]


def _added(folder: Path) -> str:
    return str(PropStore(folder).add(box()).kwargs["render_filename"])


def test_open_and_flat_meshes(folder: Path) -> None:
    sheet = Prop(
        "paper",
        "paper",
        np.array([[0, 0, 0], [0.2, 0, 0], [0.2, 0.3, 0], [0, 0.3, 0]], float),
        np.array([[0, 1, 2], [0, 2, 3]]),
    )
    stored = PropStore(folder).add(sheet)
    np.testing.assert_allclose(stored.centre_3, (0.1, 0.15, 0), atol=1e-9)
    assert stored.pieces == 1 and stored.mass == pytest.approx(0.2 * 0.3 * 0.003 * 500)


def test_a_surface_with_an_edge_is_a_sheet(folder: Path) -> None:
    """A bowl without thickness holds a ball and weighs what a bowl weighs."""
    surface = trimesh.creation.revolve([(0, 0), (0.05, 0), (0.1, 0.04), (0.12, 0.08)], sections=16)
    assert not surface.is_watertight and thickened(surface).is_watertight
    store = PropStore(folder)
    bowl = store.add(Prop("bowl", "bowl", np.array(surface.vertices), np.array(surface.faces)))
    np.testing.assert_allclose(bowl.high_3 - bowl.low_3, (0.24, 0.24, 0.08), atol=1e-6)
    _, above = dropped(bowl, store.add(as_prop(egg(1.5, 1.5, 1.5), "ball")), 0.15)
    assert np.linalg.norm(above[:2]) < 0.05 and above[2] == pytest.approx(0.0015 + 0.015, abs=0.006)
    assert bowl.mass == pytest.approx(surface.area * 0.003 * 2300)


def test_masses_follow_material_and_size(folder: Path) -> None:
    store = PropStore(folder)
    assert store.add(mug()).mass == pytest.approx(0.32, abs=0.1)
    assert store.add(table()).mass == pytest.approx(0.0252 * 600 + 4 * 0.0016 * 0.7 * 600, rel=0.05)
    small, large = (store.add(box("wooden_box", side)).mass for side in (10.0, 20.0))
    assert large == pytest.approx(min(8 * small, 5.0))


@pytest.mark.parametrize(
    ("name", "noun", "material"),
    [
        ("mug.001", "mug", "ceramic"),
        ("basket_90", "basket", "wicker"),
        ("plastic_bowl", "plastic bowl", "plastic"),
        ("working_chair", "office chair", "plastic"),
        ("side_table", "side table", "wood"),
        ("WoodenSpoon", "wooden spoon", "wood"),
        ("wine_glass", "wine glass", "glass"),
        ("thing", "thing", "plastic"),
    ],
)
def test_kinds(name: str, noun: str, material: str) -> None:
    kind = kind_of(name)
    assert (kind.noun, kind.material) == (noun, material)
    assert material in DENSITIES and 0 < kind.friction < 1 and 0 <= kind.restitution < 1
