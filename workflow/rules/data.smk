rule make_lasso_design:
    """The data of one LASSO: generated from the root seed, or scikit-learn's diabetes table."""
    input:
        script="scripts/make_design.py",
        code=imports_of("scripts/make_design.py"),
    output:
        design="results/{scale}/data/lasso_{design}.npz",
    log:
        "results/{scale}/logs/lasso_{design}.log",
    benchmark:
        "results/{scale}/benchmarks/lasso_{design}.tsv"
    threads: 1
    params:
        settings=lambda wildcards: json_of(
            {
                "root_seed": config["root_seed"],
                "name": wildcards.design,
                "design": config["l1_paradox"]["designs"][wildcards.design],
            }
        ),
    message:
        "Making the data of the LASSO, design {wildcards.design}"
    shell:
        "python {input.script} --settings {params.settings:q} --out {output.design} --log {log}"
