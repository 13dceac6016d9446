"""The styles that an image, a land cover map or a scene is generated in."""

from types import SimpleNamespace

import numpy as np
import pytest

from backend.generation import styles
from backend.generation.styles import SceneStyles
from backend.geo import legend
from backend.models import landcover
from backend.protocol import BackendError
from backend.tiling.lattice import Box

SEEDS = range(400)
WOODS, GRASS, TOWN, WATER = 10, 30, 50, 80
COMBINATIONS = {
    "2016, coastal": 0.2,
    "2018, arid": 0.2,
    "2018, semiarid": 0.2,
    "autumn, temperate": 0.2,
    "temperate": 0.2,
}
CLASSES = {"arid": [60, TOWN], "coastal": [TOWN], "semiarid": [GRASS, TOWN], "temperate": [WOODS, GRASS, TOWN]}


def image_generator(combinations=COMBINATIONS, classes=None, name="spade"):
    words = sorted({word for text in combinations for word in text.split(", ")})
    index = {"styles": words, "style_combinations": combinations, "style_classes": classes or {}}
    return SimpleNamespace(name=name, index=index, trained_codes=list(legend.LEGEND))


def shares(**by_code):
    """(COUNT,) class shares from percentages, such as c10=60."""
    return np.array([by_code.get(f"c{code}", 0) / 100 for code in legend.LEGEND])


def landcover_generator(name="landcover", **compositions):
    """A land cover model with a mean composition of each climate."""
    index = {"styles": sorted(compositions), "compositions": {key: [mix.tolist()] for key, mix in compositions.items()}}
    return SimpleNamespace(name=name, index=index)


IMAGE = image_generator()
LANDCOVER = landcover_generator(tropical=shares(c10=100), temperate=shares(c30=100), semiarid=shares(c30=100))
OLD_IMAGE = image_generator({"2018, coastal": 0.3, "2018, inland": 0.3, "humid": 0.4})
OLD_LANDCOVER = SimpleNamespace(name="landcover", index={"compositions": [shares(c10=100).tolist()]})


def images(style="", generator=IMAGE, landcover_shares=None):
    return {styles.choose_styles(generator, style, seed, landcover_shares) for seed in SEEDS}


def scenes(style="", generator=IMAGE, below=LANDCOVER, requested=None):
    return {styles.choose_scene_styles(generator, below, style, seed, requested) for seed in SEEDS}


def test_a_former_name_and_a_nearest_climate_stand_for_what_a_model_knows():
    assert styles.choose_styles(IMAGE, "inland, 2018", 0) == ("2018", "semiarid")
    assert styles.choose_styles(OLD_IMAGE, "semiarid", 0) == ("2018", "inland")
    assert styles.choose_styles(OLD_IMAGE, "tropical", 0) == ("humid",)
    assert styles.choose_landcover_styles(LANDCOVER, "coastal", 0) == ("temperate",)
    assert (
        "no style 'tropical'; it takes the nearest that it knows, temperate"
        in styles.image_notes(IMAGE, "tropical", ("temperate",))[0]
    )


def test_a_word_that_no_model_knows_is_refused_with_those_it_knows():
    with pytest.raises(
        BackendError, match=r"land cover generator landcover .*'2018'.*: semiarid, temperate, tropical\."
    ):
        styles.choose_landcover_styles(LANDCOVER, "2018", 0)
    with pytest.raises(
        BackendError, match=r"scene know no style 'lunar'.*2016, .*coastal, semiarid, temperate, tropical\."
    ):
        styles.choose_scene_styles(IMAGE, LANDCOVER, "lunar", 0)


def test_the_seed_draws_the_climates_of_land_cover_with_equal_probability():
    drawn = [styles.choose_landcover_styles(LANDCOVER, "", seed) for seed in range(1500)]
    assert {words: round(drawn.count(words) / 500) for words in drawn} == {
        ("semiarid",): 1,
        ("temperate",): 1,
        ("tropical",): 1,
    }
    assert styles.choose_landcover_styles(LANDCOVER, " tropical", 3) == ("tropical",)
    assert "drawn by the seed" in styles.landcover_notes(LANDCOVER, "", ("tropical",))[0]
    assert styles.landcover_notes(LANDCOVER, "tropical", ("tropical",)) == []


def test_land_cover_without_styles_ignores_them_with_a_note():
    for index in ({}, OLD_LANDCOVER.index, {"styles": [], "compositions": {"": [[1.0] * 11]}}):
        plain = SimpleNamespace(name="plain", index=index)
        assert styles.choose_landcover_styles(plain, "", 1) == styles.choose_landcover_styles(plain, "moon", 1) == ()
        assert styles.landcover_notes(plain, "", ()) == []
        assert "plain has no styles" in styles.landcover_notes(plain, "moon", ())[0]


def test_an_image_is_drawn_in_styles_that_fit_the_map():
    fitting = image_generator(classes=CLASSES)
    assert images(generator=fitting, landcover_shares=shares(c10=100)) == {("autumn", "temperate"), ("temperate",)}
    assert len(images(generator=fitting, landcover_shares=shares(c50=100))) == len(COMBINATIONS)
    assert images("coastal", fitting, shares(c10=100)) == {("2016", "coastal")}, "a requested style is painted anywhere"
    assert len(images(generator=fitting, landcover_shares=shares(c80=100))) == len(COMBINATIONS), "none fits better"
    assert len(images(landcover_shares=shares(c10=100))) == len(COMBINATIONS), "a model that lists no classes"


def test_styles_are_drawn_the_less_the_worse_they_fit():
    fitting = image_generator({"arid": 0.5, "temperate": 0.5}, CLASSES)
    for woods, share in ((45, 0.355), (55, 0.0)):
        place = shares(c10=woods, c50=100 - woods)
        drawn = [styles.choose_styles(fitting, "", seed, place) for seed in range(2000)]
        assert drawn.count(("arid",)) / 2000 == pytest.approx(share, abs=0.03)


def test_a_scene_is_drawn_among_the_climates_of_both_models():
    assert scenes() == {
        SceneStyles(words, words, climate)
        for words, climate in (
            (("2018", "semiarid"), ("semiarid",)),
            (("autumn", "temperate"), ("temperate",)),
            (("temperate",), ("temperate",)),
        )
    }
    assert styles.choose_scene_styles(IMAGE, LANDCOVER, "", 7) == styles.choose_scene_styles(IMAGE, LANDCOVER, "", 7)


def test_a_climate_of_one_model_is_the_nearest_of_the_other():
    coastal = SceneStyles(("2016", "coastal"), ("2016", "coastal"), ("temperate",))
    assert scenes("coastal") == {coastal}
    assert scenes("tropical") == {
        SceneStyles(("tropical",), ("temperate",), ("tropical",)),
        SceneStyles(("autumn", "tropical"), ("autumn", "temperate"), ("tropical",)),
    }
    assert scenes("inland") == {SceneStyles(("2018", "semiarid"), ("2018", "semiarid"), ("semiarid",))}
    tropical = styles.choose_scene_styles(IMAGE, LANDCOVER, "tropical, autumn", 0)
    notes = styles.scene_notes(IMAGE, LANDCOVER, "tropical, autumn", tropical)
    assert len(notes) == 1 and "image generator spade has no style 'tropical'" in notes[0]
    notes = styles.scene_notes(IMAGE, LANDCOVER, "", coastal)
    assert "land cover generator landcover has no style 'coastal'" in notes[0] and "drawn by the seed" in notes[1]


def test_the_words_of_a_scene_are_its_style_again():
    """The recorded words complete, so that none is drawn: with other seeds too."""
    for style in ("", "tropical", "coastal", "arid", "inland", "temperate", "autumn"):
        for look in scenes(style):
            again = {
                styles.choose_scene_styles(IMAGE, LANDCOVER, ", ".join(look.words), seed, None, is_complete=True)
                for seed in SEEDS
            }
            assert again == {look}
            assert styles.choose_landcover_styles(LANDCOVER, ", ".join(look.landcover), 0) == look.landcover
    assert styles.choose_styles(IMAGE, "temperate", 0, is_complete=True) == ("temperate",)
    assert len(images("temperate")) == 2, "a season is drawn where the style is not complete"


def test_models_of_another_age_share_a_look():
    assert scenes(generator=OLD_IMAGE) == {
        SceneStyles(("2018", "coastal"), ("2018", "coastal"), ("temperate",)),
        SceneStyles(("2018", "inland"), ("2018", "inland"), ("semiarid",)),
        SceneStyles(("humid",), ("humid",), ("temperate",)),
    }
    assert scenes("temperate", OLD_IMAGE) == {SceneStyles(("temperate",), ("humid",), ("temperate",))}
    assert scenes("temperate", OLD_IMAGE, OLD_LANDCOVER) == {SceneStyles(("humid",), ("humid",), ())}
    assert {look.landcover for look in scenes(below=OLD_LANDCOVER)} == {()}
    look = styles.choose_scene_styles(IMAGE, OLD_LANDCOVER, "coastal, 2016", 0)
    assert "STYLE leaves it as it is" in styles.scene_notes(IMAGE, OLD_LANDCOVER, "coastal, 2016", look)[0]


def test_a_scene_whose_images_have_no_climate_gets_one_of_the_land_cover():
    years = image_generator({"2016": 0.5, "2018": 0.5})
    assert {look.landcover for look in scenes("2018", years)} == {("semiarid",), ("temperate",), ("tropical",)}
    assert all(look.words == tuple(sorted({"2018", *look.landcover})) for look in scenes("2018", years))
    plain = image_generator({})
    assert all(look.words == look.landcover and not look.image for look in scenes(generator=plain))


def test_a_scene_fits_its_climate_or_the_requested_class_shares():
    fitting = image_generator({"semiarid": 0.5, "temperate": 0.5}, CLASSES)
    woods = landcover_generator(temperate=shares(c10=50, c30=50), semiarid=shares(c10=80, c30=20))
    assert {look.words for look in scenes(generator=fitting, below=woods)} == {("temperate",)}
    assert {look.words for look in scenes("semiarid", fitting, woods)} == {("semiarid",)}
    towns = {look.words for look in scenes(generator=fitting, below=woods, requested={TOWN: 30.0})}
    assert towns == {("semiarid",), ("temperate",)}


def test_a_default_map_is_nearly_one_class_no_more_often_than_the_training_maps():
    """Half of a model's tropical compositions are one class, and a tenth of its temperate ones."""
    rng, listed = np.random.default_rng(0), {}
    for climate, one_class in (("tropical", 64), ("temperate", 13)):
        mixes = rng.dirichlet(np.full(legend.COUNT, 0.6), landcover.COMPOSITIONS)
        mixes[:one_class] = np.eye(legend.COUNT)[rng.integers(0, legend.COUNT, one_class)]
        listed[climate] = mixes.tolist()
    generator = SimpleNamespace(name="m", index={"styles": sorted(listed), "compositions": listed})

    def largest_share(seed):
        compositions = landcover.compositions(generator.index, styles.choose_landcover_styles(generator, "", seed))
        window = Box(470_000, 37_600, landcover.WINDOW_PX, landcover.WINDOW_PX)
        return landcover.random_shares(compositions, window, "EPSG:32618", seed).max()

    in_data = (np.concatenate(list(listed.values())).max(1) >= 0.95).mean()
    drawn = np.mean([largest_share(seed) >= 0.95 for seed in range(1000)])
    assert 0.15 < drawn < in_data + 0.03
