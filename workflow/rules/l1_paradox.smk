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
        settings=settings(
            lasso=config["l1_paradox"]["lasso"],
            turning_point=config["l1_paradox"]["turning_point"],
        ),
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
        runs="results/{scale}/runs/l1_paradox_{experiment}_{design}.parquet",
        record="results/{scale}/runs/l1_paradox_{experiment}_{design}.json",
    log:
        "results/{scale}/logs/l1_paradox_{experiment}_{design}.log",
    benchmark:
        "results/{scale}/benchmarks/l1_paradox_{experiment}_{design}.tsv"
    wildcard_constraints:
        experiment="lasso|turning_point",
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=lambda wildcards: training_settings("l1_paradox", wildcards.experiment),
    message:
        "Running gradient methods: {wildcards.experiment}, design {wildcards.design}"
    shell:
        "python {input.script} --settings {params.settings:q} --design {input.design}"
        " --out {output.runs} --record {output.record} --log {log}"


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
        settings=training_settings("l1_paradox", "noise"),
    message:
        "Running the subgradient method with mini-batch noise, design {wildcards.design}"
    shell:
        "python {input.script} --settings {params.settings:q} --design {input.design}"
        " --out {output.runs} --record {output.record} --log {log}"
