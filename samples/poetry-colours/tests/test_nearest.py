from nearest import nearest


def test_a_known_colour_is_its_own_nearest():
    assert nearest("087e8b") == (0.0, "teal")


def test_the_eye_decides():
    assert nearest("101010")[1] == "black"
