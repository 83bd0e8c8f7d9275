ENTRIES = {f"{owner}/{name}": entry for owner, names in config["samples"].items() for name, entry in names.items()}
SETTINGS_FILE_OF_SAMPLES = {entry: file_of(settings_of_samples(entry, config, SOURCES)) for entry in ENTRIES}


rule make_samples:
    """The data of one entry of the config's table of samples: drawn from the root seed, or a table of others."""
    input:
        script=local("scripts/make_samples.py"),
        settings=lambda wildcards: SETTINGS_FILE_OF_SAMPLES[wildcards.samples],
        code=lambda wildcards: code_of(
            "scripts/make_samples.py", f"data.{SOURCES[ENTRIES[wildcards.samples]['source']]}"
        ),
        file=lambda wildcards: local(ENTRIES[wildcards.samples].get("file", [])),
    output:
        samples=f"results/{SCALE}/data/{{samples}}.npz",
    log:
        f"results/{SCALE}/logs/data/{{samples}}.log",
    benchmark:
        f"results/{SCALE}/benchmarks/data/{{samples}}.tsv"
    wildcard_constraints:
        samples="|".join(ENTRIES),
    threads: 1
    message:
        "Making data: {wildcards.samples}"
    shell:
        "{PYTHON} {input.script} --settings {input.settings:q} --out {output.samples} --log {log}"
