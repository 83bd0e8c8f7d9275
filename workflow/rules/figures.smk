# What each figure reads under results/<scale>/. A new figure is a line here, a notebook figures/<name>.py and a caption
# workflow/report/<name>.rst.
FIGURES = {
    "convergence_floor": ["runs/convergence_kink_dial.parquet", "runs/convergence_cures.parquet"],
    "convergence_smoothing": ["runs/convergence_smoothing.parquet"],
    "convergence_worst_cases": ["runs/convergence_worst_cases.parquet", "exact/convergence_certificates.parquet"],
    "convergence_networks": [
        "runs/convergence_networks_{data}.parquet",
        "runs/convergence_decay_{data}.parquet",
        "runs/convergence_floors_{data}.parquet",
        "runs/convergence_kink_value_{data}.parquet",
    ],
    "l1_paradox_norm": ["runs/l1_paradox_lasso_{design}.parquet", "exact/l1_paradox_exact_{design}.parquet"],
    "l1_paradox_turning_point": [
        "runs/l1_paradox_turning_point_{design}.parquet",
        "exact/l1_paradox_exact_{design}.parquet",
        "runs/l1_paradox_noise_{design}.parquet",
        "runs/l1_paradox_networks_{sweep}.parquet",
    ],
    "l1_paradox_cures": ["runs/l1_paradox_lasso_{design}.parquet", "exact/l1_paradox_exact_{design}.parquet"],
    "l1_paradox_networks": ["runs/l1_paradox_networks_{sweep}.parquet", "runs/l1_paradox_pruning.parquet"],
    "adaptive_methods": [
        "runs/adaptive_lasso.parquet",
        "runs/adaptive_one_weight.parquet",
        "runs/adaptive_cycles.parquet",
    ],
    "edge_of_stability_bifurcations": [
        "runs/edge_of_stability_cycles.parquet",
        "runs/edge_of_stability_asymmetric.parquet",
    ],
    "edge_of_stability_sharpness": ["runs/edge_of_stability_cycles.parquet"],
    "edge_of_stability_logistic": [
        "runs/edge_of_stability_logistic.parquet",
        "runs/edge_of_stability_separable.parquet",
    ],
    "edge_of_stability_networks": ["runs/edge_of_stability_networks_{edge_data}.parquet"],
    "edge_of_stability_side_by_side": [
        "runs/edge_of_stability_cycles.parquet",
        "runs/edge_of_stability_networks_{edge_data}.parquet",
    ],
}


rule draw_figure:
    """One figure, its executed notebook and the notebook as a page, all from one execution."""
    input:
        script="scripts/run_notebook.py",
        figure="figures/{figure}.py",
        code=lambda wildcards: imports_of("scripts/run_notebook.py", f"figures/{wildcards.figure}.py"),
        templates=TEMPLATES,
        results=lambda wildcards: every(
            *FIGURES[wildcards.figure], data=NETWORK_DATA, sweep=NETWORK_SWEEPS, edge_data=EDGE_DATA
        ),
    output:
        pdf="results/{scale}/figures/{figure}.pdf",
        svg=report("results/{scale}/figures/{figure}.svg", caption="../report/figure.rst", category="Figures"),
        png="results/{scale}/figures/{figure}.png",
        notebook="results/{scale}/notebooks/{figure}.ipynb",
        html="results/{scale}/notebooks/{figure}.html",
    log:
        "results/{scale}/logs/{figure}.log",
    benchmark:
        "results/{scale}/benchmarks/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES),
    threads: 1
    message:
        "Drawing figure {wildcards.figure}"
    shell:
        "python {input.script} --figure {input.figure} --results results/{wildcards.scale} --tables {input.results}"
        " --templates paper/templates --notebook {output.notebook} --html {output.html} --log {log}"
