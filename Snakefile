# `snakemake --cores all` regenerates the paper: data, training, claims, figures, notebooks, PDF, HTML.
# Other sizes of the same experiments: `--config scale=smoke` or `--config scale=full`.
import gc

from snakemake.utils import min_version

min_version("9.27")
gc.freeze()  # what Snakemake has loaded is never garbage; looking for it takes a tenth of a start


# Only for `--software-deployment-method apptainer`: the system of Containerfile, as one file.
container: "ndgm.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/verify.smk"


onerror:
    # At the exit, below all that Snakemake says of a failed job.
    atexit.register(print, *last_lines(*map(Path, log)), sep="\n", file=sys.stderr, flush=True)


localrules:
    all,
    name_no_result,
    verify,


rule all:
    """The paper and everything it is made of."""
    default_target: True
    input:
        everything,
    message:
        f"The paper is results/{SCALE}/paper.pdf and paper.html, its claims are results/{SCALE}/claims.json"


RESULTS = results(config, TABLES_OF)


rule name_no_result:
    """Ends the run with one line where it is asked for a result that there is not."""
    input:
        lambda wildcards: sys.exit(said_of_no_result(wildcards.file, SCALE, RESULTS, config)),
    output:
        "results/{file}",
    wildcard_constraints:
        file=no_result(SCALE, RESULTS),
    message:
        "Naming what {wildcards.file} may have meant"
