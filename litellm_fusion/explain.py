def explain(layers, request, models, ask_mode="auto", overrides=None):
    return {}
