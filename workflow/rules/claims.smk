from ndgm.groups import GROUPS
from ndgm.pipeline.claim_tables import claim_tables, misdeclared

TABLES_OF = {group.name: claim_tables(group.name) for group in GROUPS}
GROUP_OF = {claim: group for group, claims in TABLES_OF.items() for claim in claims}
SETTINGS_FILE_OF_GROUP = {group.name: file_of(settings_of_group(group)) for group in GROUPS}

slips = [line for group in GROUPS for line in misdeclared(group.name, FIGURES)]
if found := slips + unknown_tables(TABLES_OF, FIGURES.values()):
    sys.exit("\n".join(found))


localrules:
    gather_claims,


rule decide_group:
    """A verdict for every claim of a group: supported, refuted or inconclusive, with the numbers that decided it."""
    input:
        script=local("scripts/decide_claims.py"),
        code=lambda wildcards: code_of("scripts/decide_claims.py", f"claims.{wildcards.group}"),
        settings=lambda wildcards: SETTINGS_FILE_OF_GROUP[wildcards.group],
        tables=lambda wildcards: tables(*sum(TABLES_OF[wildcards.group].values(), ())),
    output:
        claims=f"results/{SCALE}/claims/{{group}}.json",
    log:
        f"results/{SCALE}/logs/claims_{{group}}.log",
    benchmark:
        f"results/{SCALE}/benchmarks/claims_{{group}}.tsv"
    wildcard_constraints:
        group="|".join(TABLES_OF),
    threads: 1
    message:
        "Deciding the claims of {wildcards.group}"
    shell:
        "{PYTHON} {input.script} --settings {input.settings:q} --tables {input.tables}"
        " --out {output.claims} --log {log}"


rule gather_claims:
    """The claims of all groups, sorted by id."""
    input:
        script=local("scripts/gather_claims.py"),
        code=code_of("scripts/gather_claims.py"),
        claims=every("claims/{group}.json", group=TABLES_OF),
    output:
        claims=f"results/{SCALE}/claims.json",
    log:
        f"results/{SCALE}/logs/claims.log",
    threads: 1
    message:
        "Gathering the claims of all groups"
    shell:
        "{PYTHON} {input.script} --claims {input.claims} --out {output.claims} --log {log}"


rule decide_one_claim:
    """A verdict for one claim from its own tables; for Holm's rule, the rest of its group is as in the reference."""
    input:
        script=local("scripts/decide_claims.py"),
        code=lambda wildcards: code_of("scripts/decide_claims.py", f"claims.{group_of(wildcards)}"),
        settings=lambda wildcards: SETTINGS_FILE_OF_GROUP[group_of(wildcards)],
        tables=lambda wildcards: tables(*TABLES_OF[group_of(wildcards)][wildcards.claim]),
        reference=local([file for file in [f"reference/{SCALE}/claims.json"] if os.path.exists(file)]),
    output:
        claim=f"results/{SCALE}/claims/{{claim}}.json",
    log:
        f"results/{SCALE}/logs/claim_{{claim}}.log",
    wildcard_constraints:
        claim="|".join(GROUP_OF),
    threads: 1
    message:
        "Deciding the claim {wildcards.claim}"
    shell:
        "{PYTHON} {input.script} --settings {input.settings:q} --claim {wildcards.claim}"
        " --reference {input.reference} --tables {input.tables} --out {output.claim} --log {log}"
