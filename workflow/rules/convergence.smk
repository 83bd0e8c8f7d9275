CONVEX = ["kink_dial", "smoothing", "cures", "worst_cases"]
NETWORKS = ["tuning", "networks", "decay", "floors", "kink_value"]


rule certify_worst_cases:
    """Exact worst cases of step rules, by PEPit where it is installed, else from the committed table."""
    input:
        script="scripts/convergence_certify.py",
        code=imports_of("scripts/convergence_certify.py"),
        reference="reference/certificates.json",
    output:
        certificates="results/{scale}/exact/convergence_certificates.parquet",
        record="results/{scale}/exact/convergence_certificates.json",
    log:
        "results/{scale}/logs/convergence_certificates.log",
    benchmark:
        "results/{scale}/benchmarks/convergence_certificates.tsv"
    threads: 1
    params:
        settings=json_of(
            {
                "rules": config["convergence"]["worst_cases"]["rules"],
                "steps": list(range(1, config["convergence"]["worst_cases"]["most_steps"] + 1)),
            }
        ),
        # So that it is run again where PEPit comes or goes.
        certifier=str(find_spec("PEPit") is not None),
    message:
        "Certifying worst cases"
    shell:
        "python {input.script} --settings {params.settings:q} --reference {input.reference}"
        " --out {output.certificates} --log {log}"


rule train_convergence_convex:
    """Gradient methods on convex problems with a kink: dialled, rounded off, cured, and as bad as can be."""
    input:
        script="scripts/convergence_convex.py",
        code=imports_of("scripts/convergence_convex.py"),
        designs=every("data/lasso_{design}.npz"),
    output:
        runs=expand("results/{{scale}}/runs/convergence_{experiment}.parquet", experiment=CONVEX),
        records=expand("results/{{scale}}/runs/convergence_{experiment}.json", experiment=CONVEX),
    log:
        "results/{scale}/logs/convergence_convex.log",
    benchmark:
        "results/{scale}/benchmarks/convergence_convex.tsv"
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=json_of([training_settings("convergence", experiment) for experiment in CONVEX]),
    message:
        "Running gradient methods on convex problems with a kink"
    shell:
        "python {input.script} --settings {params.settings:q} --designs {input.designs} --out {output.runs} --log {log}"


rule make_network_samples:
    """Inputs and targets of one problem that networks are trained on."""
    input:
        script="scripts/make_samples.py",
        code=imports_of("scripts/make_samples.py"),
    output:
        samples="results/{scale}/data/network_{data}_{problem}.npz",
    log:
        "results/{scale}/logs/network_{data}_{problem}.log",
    benchmark:
        "results/{scale}/benchmarks/network_{data}_{problem}.tsv"
    threads: 1
    params:
        settings=lambda wildcards: json_of(samples_settings(wildcards.data, wildcards.problem)),
    message:
        "Making the data of the networks: {wildcards.data}, {wildcards.problem}"
    shell:
        "python {input.script} --settings {params.settings:q} --out {output.samples} --log {log}"


rule train_convergence_networks:
    """Networks of every activation, at the best step size of each, and with other derivatives at the kink."""
    input:
        script="scripts/convergence_networks.py",
        code=imports_of("scripts/convergence_networks.py"),
        samples=lambda wildcards: expand(
            "results/{scale}/data/network_{data}_{problem}.npz",
            problem=NETWORK_DATA[wildcards.data]["problems"],
            **wildcards,
        ),
    output:
        runs=expand("results/{{scale}}/runs/convergence_{experiment}_{{data}}.parquet", experiment=NETWORKS),
        records=expand("results/{{scale}}/runs/convergence_{experiment}_{{data}}.json", experiment=NETWORKS),
    log:
        "results/{scale}/logs/convergence_networks_{data}.log",
    benchmark:
        "results/{scale}/benchmarks/convergence_networks_{data}.tsv"
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=lambda wildcards: json_of(networks_settings(wildcards.data)),
    message:
        "Training networks: {wildcards.data}"
    shell:
        "python {input.script} --settings {params.settings:q} --samples {input.samples} --out {output.runs} --log {log}"
