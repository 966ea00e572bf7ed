"""Train on the raw rows of a table: the model scales numbers and encodes texts and codes itself.

    DNNBRIDGE_BACKEND=mindspore python examples/raw_rows.py

Layers learn from the training rows what they need: means, bins and vocabularies. It is part of the
spec, so a saved run takes raw rows too, in another process and on another framework.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import dnnbridge as db

DISTRICTS = np.array([10115, 20095, 50667, 80331, 60306])
"""Postal codes: categories, not quantities."""

HEATING = np.array(["gas", "district heating", "Wärmepumpe"])
"""Texts, as they stand in the table."""

Table = dict[str, np.ndarray]


def table(rows: int, seed: int = 0) -> tuple[Table, np.ndarray]:
    """Return flats as columns of very different sizes, and their rents in thousands."""
    rng = np.random.default_rng(seed)
    area, year = rng.gamma(9.0, 8.0, rows), rng.integers(1890, 2025, rows)
    district, heating = rng.integers(0, 5, rows), rng.integers(0, 3, rows)
    rent = 0.012 * area + 0.2 * np.sqrt(district) + 0.1 * (year > 2000) - 0.05 * heating
    columns = {
        "size": np.stack([area, rng.gamma(2.0, 900.0, rows)], axis=1),
        "year": year[:, None].astype(float),
        "district": DISTRICTS[district][:, None],
        "heating": HEATING[heating][:, None],
    }
    return columns, rent[:, None]


def model(rows: Table) -> db.Model:
    """Return a model of raw rows; its first layers are adapted to these rows."""
    size, year = db.Input((2,), name="size"), db.Input((1,), name="year")
    district = db.Input((1,), "int32", name="district")
    heating = db.Input((1,), "string", name="heating")
    prepared = [
        db.Normalization().adapt(rows["size"])(size),
        db.Discretization(num_bins=6, output_mode="one_hot").adapt(rows["year"])(year),
        db.IntegerLookup(output_mode="one_hot").adapt(rows["district"])(district),
        db.StringLookup(output_mode="one_hot").adapt(rows["heating"])(heating),
    ]
    hidden = db.Dense(16, "tanh")(db.Concatenate()(*prepared))
    return db.Model([size, year, district, heating], db.Dense(1)(hidden))


def train(rows: Table, rent: np.ndarray, epochs: int = 30) -> db.Run:
    """Return the trained run."""
    experiment = db.Experiment(model(rows), "mse", db.Adam(0.01), ["mean_absolute_error"], seed=3)
    run = db.compile(experiment)
    run.fit(rows, rent, batch_size=25, epochs=epochs, verbose=0)
    return run


if __name__ == "__main__":
    trained = train(*table(500))
    error = trained.evaluate(*table(100, seed=1))["mean_absolute_error"]
    print(f"mean error of new rows: {1000 * error:.0f} a month")
    path = trained.save(Path("raw_rows.safetensors"))
    new = {
        "size": [[70.0, 900.0]],
        "year": [[1999.0]],
        "district": [[10115]],
        "heating": [["Wärmepumpe"]],
    }
    print(f"a flat: {1000 * db.load(path).predict(new).item():.0f} a month")
