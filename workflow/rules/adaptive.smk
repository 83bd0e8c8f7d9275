ADAPTIVE = ["lasso", "one_weight", "cycles"]


rule train_adaptive_convex:
    """Adaptive methods on the LASSO above λ_max, on parabolas, on kinks, and from many starts."""
    input:
        script="scripts/adaptive_convex.py",
        code=imports_of("scripts/adaptive_convex.py"),
        designs=every("data/lasso_{design}.npz"),
    output:
        runs=expand("results/{{scale}}/runs/adaptive_{experiment}.parquet", experiment=ADAPTIVE),
        records=expand("results/{{scale}}/runs/adaptive_{experiment}.json", experiment=ADAPTIVE),
    log:
        "results/{scale}/logs/adaptive_convex.log",
    benchmark:
        "results/{scale}/benchmarks/adaptive_convex.tsv"
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=json_of([training_settings("adaptive", experiment) for experiment in ADAPTIVE]),
    message:
        "Running adaptive methods on convex problems"
    shell:
        "python {input.script} --settings {params.settings:q} --designs {input.designs} --out {output.runs} --log {log}"
