RUNS = every("runs/l1_paradox_{experiment}_{design}.parquet", experiment=["lasso", "turning_point", "noise"])


rule decide_claims:
    """A verdict for every claim: supported, refuted or inconclusive, with the numbers that decided it."""
    input:
        script="scripts/decide_claims.py",
        code=imports_of("scripts/decide_claims.py"),
        runs=RUNS,
        exact=every("exact/l1_paradox_exact_{design}.parquet"),
    output:
        claims="results/{scale}/claims.json",
    log:
        "results/{scale}/logs/claims.log",
    benchmark:
        "results/{scale}/benchmarks/claims.tsv"
    threads: 1
    message:
        "Deciding the claims"
    shell:
        "python {input.script} --runs {input.runs} --exact {input.exact}" " --out {output.claims} --log {log}"
