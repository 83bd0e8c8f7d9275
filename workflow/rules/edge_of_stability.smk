EDGE = ["cycles", "asymmetric", "near_threshold", "max_affine", "logistic", "separable"]


rule train_edge_of_stability_convex:
    """Gradient descent at and beyond the edge of stability, on scalar functions, with kinks and on logistic loss."""
    input:
        script="scripts/edge_of_stability_convex.py",
        code=imports_of("scripts/edge_of_stability_convex.py"),
    output:
        runs=expand("results/{{scale}}/runs/edge_of_stability_{experiment}.parquet", experiment=EDGE),
        records=expand("results/{{scale}}/runs/edge_of_stability_{experiment}.json", experiment=EDGE),
    log:
        "results/{scale}/logs/edge_of_stability_convex.log",
    benchmark:
        "results/{scale}/benchmarks/edge_of_stability_convex.tsv"
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=json_of([training_settings("edge_of_stability", experiment) for experiment in EDGE]),
    message:
        "Running gradient descent beyond the edge of stability"
    shell:
        "python {input.script} --settings {params.settings:q} --out {output.runs} --log {log}"
