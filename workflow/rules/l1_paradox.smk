NETWORK_SWEEPS = list(config["l1_paradox"]["networks"]["sweeps"])
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


rule split_digits:
    """Handwritten digits, cut into pictures to train on and pictures to test on."""
    input:
        script="scripts/split_digits.py",
        code=imports_of("scripts/split_digits.py"),
    output:
        samples=expand("results/{{scale}}/data/network_{part}.npz", part=["train", "test"]),
    log:
        "results/{scale}/logs/split_digits.log",
    benchmark:
        "results/{scale}/benchmarks/split_digits.tsv"
    threads: 1
    params:
        settings=json_of({"root_seed": config["root_seed"], "test": config["l1_paradox"]["networks"]["test"]}),
    message:
        "Cutting the handwritten digits in two"
    shell:
        "python {input.script} --settings {params.settings:q} --out {output.samples} --log {log}"


rule train_l1_paradox_networks:
    """Networks under an L1 penalty, over methods, penalties and seeds; and the weights they end with."""
    input:
        script="scripts/l1_paradox_networks.py",
        code=imports_of("scripts/l1_paradox_networks.py"),
        train="results/{scale}/data/network_train.npz",
        test="results/{scale}/data/network_test.npz",
    output:
        runs=expand("results/{{scale}}/runs/l1_paradox_networks_{sweep}.parquet", sweep=NETWORK_SWEEPS),
        records=expand("results/{{scale}}/runs/l1_paradox_networks_{sweep}.json", sweep=NETWORK_SWEEPS),
        weights=expand("results/{{scale}}/weights/l1_paradox_networks_{sweep}.npz", sweep=NETWORK_SWEEPS),
    log:
        "results/{scale}/logs/l1_paradox_networks_training.log",
    benchmark:
        "results/{scale}/benchmarks/l1_paradox_networks_training.tsv"
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=json_of(training_settings("l1_paradox", "networks")),
    message:
        "Training networks under an L1 penalty"
    shell:
        "python {input.script} --settings {params.settings:q} --train {input.train} --test {input.test}"
        " --out {output.runs} --weights {output.weights} --log {log}"


rule prune_l1_paradox_networks:
    """Trained networks without their smallest weights, over shares kept and thresholds."""
    input:
        script="scripts/l1_paradox_pruning.py",
        code=imports_of("scripts/l1_paradox_pruning.py"),
        test="results/{scale}/data/network_test.npz",
        runs="results/{scale}/runs/l1_paradox_networks_minibatch.parquet",
        weights="results/{scale}/weights/l1_paradox_networks_minibatch.npz",
    output:
        pruned="results/{scale}/runs/l1_paradox_pruning.parquet",
    log:
        "results/{scale}/logs/l1_paradox_pruning_networks.log",
    benchmark:
        "results/{scale}/benchmarks/l1_paradox_pruning_networks.tsv"
    threads: 1
    params:
        settings=json_of({**config["l1_paradox"]["pruning"], "hidden": config["l1_paradox"]["networks"]["hidden"]}),
    message:
        "Pruning networks"
    shell:
        "python {input.script} --settings {params.settings:q} --test {input.test} --runs {input.runs}"
        " --weights {input.weights} --out {output.pruned} --log {log}"
