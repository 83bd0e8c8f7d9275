SWEEPS = ["lasso", "turning_point"]  # one process trains both: a start of torch takes as long as a small sweep


rule solve_l1_paradox_exact:
    """The exact LASSO path that the methods are held against, certified by duality gap."""
    input:
        script="scripts/l1_paradox_exact.py",
        code=imports_of("scripts/l1_paradox_exact.py"),
        design="results/{scale}/data/lasso_{design}.npz",
    output:
        exact="results/{scale}/exact/l1_paradox_exact_{design}.parquet",
    log:
        "results/{scale}/logs/l1_paradox_exact_{design}.log",
    benchmark:
        "results/{scale}/benchmarks/l1_paradox_exact_{design}.tsv"
    threads: 1
    params:
        settings=json_of({experiment: config["l1_paradox"][experiment] for experiment in SWEEPS}),
    message:
        "Solving the LASSO exactly, design {wildcards.design}"
    shell:
        "python {input.script} --settings {params.settings:q} --design {input.design}"
        " --out {output.exact} --log {log}"


rule train_l1_paradox_lasso:
    """Every method on the LASSO, over penalties, steps and seeds; and a fine grid around the turning point."""
    input:
        script="scripts/l1_paradox_lasso.py",
        code=imports_of("scripts/l1_paradox_lasso.py"),
        design="results/{scale}/data/lasso_{design}.npz",
    output:
        runs=expand("results/{{scale}}/runs/l1_paradox_{experiment}_{{design}}.parquet", experiment=SWEEPS),
        records=expand("results/{{scale}}/runs/l1_paradox_{experiment}_{{design}}.json", experiment=SWEEPS),
    log:
        "results/{scale}/logs/l1_paradox_lasso_{design}.log",
    benchmark:
        "results/{scale}/benchmarks/l1_paradox_lasso_{design}.tsv"
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=json_of([training_settings("l1_paradox", experiment) for experiment in SWEEPS]),
    message:
        "Running gradient methods on the LASSO, design {wildcards.design}"
    shell:
        "python {input.script} --settings {params.settings:q} --design {input.design} --out {output.runs} --log {log}"


rule train_l1_paradox_noise:
    """The subgradient method on the LASSO with mini-batch noise, over penalties and batch sizes."""
    input:
        script="scripts/l1_paradox_noise.py",
        code=imports_of("scripts/l1_paradox_noise.py"),
        design="results/{scale}/data/lasso_{design}.npz",
    output:
        runs="results/{scale}/runs/l1_paradox_noise_{design}.parquet",
        record="results/{scale}/runs/l1_paradox_noise_{design}.json",
    log:
        "results/{scale}/logs/l1_paradox_noise_{design}.log",
    benchmark:
        "results/{scale}/benchmarks/l1_paradox_noise_{design}.tsv"
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=json_of(training_settings("l1_paradox", "noise")),
    message:
        "Running the subgradient method with mini-batch noise, design {wildcards.design}"
    shell:
        "python {input.script} --settings {params.settings:q} --design {input.design}"
        " --out {output.runs} --log {log}"
