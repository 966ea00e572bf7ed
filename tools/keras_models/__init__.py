"""Measure how models of Keras move, and write docs/measurements/keras-models.md.

PYTHONPATH=tools:tests python -m keras_models [names…] [--out FOLDER] [--parts keras,tensorflow,…]

Each model is measured in parts, each in a process of its own. A part writes a JSON file into the
folder of the model, so a second call goes on where the first one stopped. Without names all models
are measured and the page is written.
"""
