EDGE_DATA = config["edge_of_stability"]["networks"]["data"]
NO_SAMPLES = ("loss", "step_sizes")  # how networks are trained on samples does not change the samples

for data, block in EDGE_DATA.items():
    if "archive" in block and not os.path.isfile(block["archive"]):
        key = f"edge_of_stability.networks.data.{data}.archive"
        sys.exit(f"{FILES[-1]}: {key}: {block['archive']}: no such file; see config/README.md")


def edge_samples_settings(data, problem):
    """What the job that makes the data of one problem is told."""
    samples = {key: value for key, value in EDGE_DATA[data]["problems"][problem].items() if key not in NO_SAMPLES}
    samples |= {key: value for key, value in EDGE_DATA[data].items() if key == "archive"}
    everywhere = {"root_seed": config["root_seed"], "experiment": "edge_of_stability_networks"}
    return {**everywhere, "data": data, "name": f"{data} {problem}", "samples": samples}


rule make_edge_samples:
    """Inputs and targets of one problem on which the sharpness of networks is followed."""
    input:
        script="scripts/make_samples.py",
        code=imports_of("scripts/make_samples.py"),
        archive=lambda wildcards: EDGE_DATA[wildcards.edge_data].get("archive", []),
    output:
        samples="results/{scale}/data/edge_{edge_data}_{problem}.npz",
    log:
        "results/{scale}/logs/edge_{edge_data}_{problem}.log",
    benchmark:
        "results/{scale}/benchmarks/edge_{edge_data}_{problem}.tsv"
    wildcard_constraints:
        edge_data="|".join(EDGE_DATA),
    threads: 1
    params:
        settings=lambda wildcards: json_of(edge_samples_settings(wildcards.edge_data, wildcards.problem)),
    message:
        "Making the data of the networks at the edge of stability: {wildcards.edge_data}, {wildcards.problem}"
    shell:
        "python {input.script} --settings {params.settings:q} --out {output.samples} --log {log}"


rule train_edge_of_stability_networks:
    """Gradient descent on networks of every activation, with the sharpness along each run."""
    input:
        script="scripts/edge_of_stability_networks.py",
        code=imports_of("scripts/edge_of_stability_networks.py"),
        samples=lambda wildcards: expand(
            "results/{scale}/data/edge_{edge_data}_{problem}.npz",
            problem=EDGE_DATA[wildcards.edge_data]["problems"],
            **wildcards,
        ),
    output:
        runs="results/{scale}/runs/edge_of_stability_networks_{edge_data}.parquet",
        record="results/{scale}/runs/edge_of_stability_networks_{edge_data}.json",
    log:
        "results/{scale}/logs/edge_of_stability_networks_{edge_data}.log",
    benchmark:
        "results/{scale}/benchmarks/edge_of_stability_networks_{edge_data}.tsv"
    wildcard_constraints:
        edge_data="|".join(EDGE_DATA),
    threads: 1
    resources:
        gpu=GPU,
    params:
        settings=lambda wildcards: json_of(
            {
                **training_settings("edge_of_stability", "networks"),
                **EDGE_DATA[wildcards.edge_data],
                "data": wildcards.edge_data,
            }
        ),
    message:
        "Following the sharpness of networks: {wildcards.edge_data}"
    shell:
        "python {input.script} --settings {params.settings:q} --samples {input.samples} --out {output.runs} --log {log}"
