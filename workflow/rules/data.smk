rule make_samples:
    """The data of one entry of the config's table of samples: drawn from the root seed, or a table of others."""
    input:
        script=local("scripts/make_samples.py"),
        code=lambda wildcards: code_of("scripts/make_samples.py", f"data.{SOURCES[entry(wildcards)['source']]}"),
        archive=lambda wildcards: local(entry(wildcards).get("archive", [])),
        settings=lambda wildcards: file_of(
            {
                "function": "{0}.{source}".format(SOURCES[entry(wildcards)["source"]], **entry(wildcards)),
                "root_seed": config["root_seed"],
                "options": options(wildcards),
            }
        ),
    output:
        samples=f"results/{SCALE}/data/{{samples}}.npz",
    log:
        f"results/{SCALE}/logs/data/{{samples}}.log",
    benchmark:
        f"results/{SCALE}/benchmarks/data/{{samples}}.tsv"
    wildcard_constraints:
        samples="|".join(f"{owner}/{name}" for owner, names in config["samples"].items() for name in names),
    threads: 1
    message:
        "Making data: {wildcards.samples}"
    shell:
        "{PYTHON} {input.script} --settings {input.settings:q} --out {output.samples} --log {log}"
