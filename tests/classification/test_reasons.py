"""One quantity under several stimuli is one reason to a reader."""

from neuroclass.classification.result import Reason, by_quantity


def test_the_same_quantity_under_several_stimuli_stands_together_in_the_order_of_the_strongest():
    shap = {
        "fast_trough_v_long_square": 0.13,
        "tau": -0.09,
        "fast_trough_v": 0.08,
        "threshold_i_short_square": 0.08,
        "fast_trough_v_ramp": -0.02,
        "threshold_i_ramp": 0.015,
        "threshold_i_long_square": 0.01,
    }
    found = by_quantity([Reason(name, 1.0, value) for name, value in shap.items()])
    assert [(first.feature, [one.feature for one in others]) for first, others in found] == [
        ("fast_trough_v_long_square", ["fast_trough_v", "fast_trough_v_ramp"]),
        ("tau", []),
        ("threshold_i_short_square", ["threshold_i_ramp"]),
        ("threshold_i_long_square", []),
    ]
    assert by_quantity([]) == []
