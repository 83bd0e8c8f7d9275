RUNS = [
    *every("runs/convergence_{experiment}.parquet", experiment=CONVEX),
    *every("runs/convergence_{experiment}_{data}.parquet", experiment=NETWORKS, data=NETWORK_DATA),
    *every("runs/l1_paradox_{experiment}_{design}.parquet", experiment=["lasso", "turning_point", "noise"]),
    *every("runs/l1_paradox_networks_{sweep}.parquet", "runs/l1_paradox_pruning.parquet", sweep=NETWORK_SWEEPS),
    *every("runs/adaptive_{experiment}.parquet", experiment=ADAPTIVE),
    *every("runs/edge_of_stability_{experiment}.parquet", experiment=EDGE),
    *every("runs/edge_of_stability_networks_{edge_data}.parquet", edge_data=EDGE_DATA),
]
EXACT = every("exact/convergence_certificates.parquet", "exact/l1_paradox_exact_{design}.parquet")


rule decide_claims:
    """A verdict for every claim: supported, refuted or inconclusive, with the numbers that decided it."""
    input:
        script="scripts/decide_claims.py",
        code=imports_of("scripts/decide_claims.py"),
        runs=RUNS,
        exact=EXACT,
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
