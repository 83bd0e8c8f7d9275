# Each job of the manifest is a rule: one that trains, or one that tabulates what needs no training. The longest may have
# their ensembles trained in shards, which are deleted when the job has made its tables of them. A job without parts in this
# config is none of its rules.
for job in (job for job in JOBS.values() if parts(job, config)):
    code = [f"experiments.{module}" for module in job.modules]
    of_part = f"{job.name}{'_{part}' if job.parts else ''}"
    message = job.message.replace("{part}", "{wildcards.part}")

    if job.trains:

        rule:
            """Trains the experiments of a job: a run table and a record of each, and weights where they are kept."""
            name:
                job.name
            input:
                script=local("scripts/train.py"),
                settings=settings_files_of(job),
                code=code_of("scripts/train.py", *code),
                samples=samples_of(job),
                reads=reads_of(job),
                shards=shards_of(job, of_part),
            output:
                tables=results_of(job),
                records=results_of(job, suffix=".json"),
                weights=results_of(job, "weights", ".npz") if job.weights else [],
            log:
                f"results/{SCALE}/logs/{of_part}.log",
            benchmark:
                f"results/{SCALE}/benchmarks/{of_part}.tsv"
            wildcard_constraints:
                part="|".join(parts(job, config)),
            threads: 1
            resources:
                gpu=GPU,
            message:
                message
            shell:
                "{PYTHON} {input.script} --settings {input.settings:q} --samples {input.samples} --reads {input.reads}"
                " --out {output.tables} --weights {output.weights} --shards {input.shards} --log {log}"

        if shards_of(job, of_part):

            rule:
                """Trains one shard of the ensembles of a job, which then only writes its tables."""
                name:
                    f"{job.name}_shard"
                input:
                    script=local("scripts/train.py"),
                    settings=settings_files_of(job),
                    code=code_of("scripts/train.py", *code),
                    samples=samples_of(job),
                    reads=reads_of(job),
                output:
                    shard=temp(directory(f"results/{SCALE}/shards/{of_part}.{{shard}}_of_{{shards}}")),
                log:
                    f"results/{SCALE}/logs/{of_part}.{{shard}}_of_{{shards}}.log",
                benchmark:
                    f"results/{SCALE}/benchmarks/{of_part}.{{shard}}_of_{{shards}}.tsv"
                wildcard_constraints:
                    part="|".join(parts(job, config)),
                    shard=r"\d+",
                    shards=r"\d+",
                threads: 1
                resources:
                    gpu=GPU,
                params:
                    tables=tables_of_shard(job),
                message:
                    f"{message}, shard {{wildcards.shard}} of {{wildcards.shards}}"
                shell:
                    "{PYTHON} {input.script} --settings {input.settings:q} --samples {input.samples} --reads {input.reads}"
                    " --out {params.tables} --shard {wildcards.shard} {wildcards.shards} --shards {output.shard} --log {log}"

    else:

        rule:
            """Computes the tables of a job that trains nothing, and a record of each."""
            name:
                job.name
            input:
                script=local("scripts/tabulate.py"),
                settings=settings_files_of(job),
                installed=installed_of(job),
                code=code_of("scripts/tabulate.py", *code),
                samples=samples_of(job),
                reads=reads_of(job),
            output:
                tables=results_of(job),
                records=results_of(job, suffix=".json"),
            log:
                f"results/{SCALE}/logs/{of_part}.log",
            benchmark:
                f"results/{SCALE}/benchmarks/{of_part}.tsv"
            wildcard_constraints:
                part="|".join(parts(job, config)),
            threads: 1
            resources:
                gpu=GPU * on_a_device(job),
            message:
                message
            shell:
                "{PYTHON} {input.script} --settings {input.settings:q} --samples {input.samples} --reads {input.reads}"
                " --out {output.tables} --log {log}"
