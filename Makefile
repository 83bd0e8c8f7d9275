# Every target does its own set-up in .venv: make and Python 3.11 to 3.13, or uv, are enough. Variables of the set-up:
# PYTHON=… names another Python; TORCH=cpu takes PyTorch without CUDA; WHEELHOUSE=… takes wheels from a folder.
WITHOUT_CUDA = https://download.pytorch.org/whl/cpu
CHECK = PYTHONPATH=src .venv/bin/python scripts/check_start.py --files config/laptop.yaml
SNAKEMAKE = PYTHONPATH=src .venv/bin/python scripts/run_snakemake.py --cores all

.PHONY: paper setup smoke verify report claims seeds test elsewhere torture bench gpu wheelhouse lock container

paper: .venv/ready  ## the paper, at laptop scale
	@$(CHECK) && $(SNAKEMAKE)
	@printf '%s\n' '' 'paper   results/laptop/paper.pdf, .html' '        results/laptop/companions.pdf, .html' 'claims  results/laptop/claims.json'

setup: .venv/ready  ## .venv alone, which every other target sets up as well
	@printf '%s\n' '' 'next    . .venv/bin/activate'

smoke: .venv/ready  ## the same in small: a first look
	@$(CHECK) config/smoke.yaml && $(SNAKEMAKE) --config scale=smoke
	@printf '%s\n' '' 'paper   results/smoke/paper.pdf, .html' '        results/smoke/companions.pdf, .html' 'claims  results/smoke/claims.json'

verify: .venv/ready  ## the paper, compared with reference/laptop
	@$(CHECK) && $(SNAKEMAKE) verify
	@tail -n 4 results/laptop/logs/verify.log

report: paper  ## one offline page with figures, captions and run times
	@$(SNAKEMAKE) --report results/report.html
	@echo 'report  results/report.html'

claims: .venv/ready  ## the past of the rules, CLAIMS.md and what README.md says of it, from history and reference/laptop
	@.venv/bin/python scripts/write_rule_history.py --repository . --out reference/rules.json
	@.venv/bin/python scripts/write_claims.py --repository .

seeds: .venv/ready  ## all claims with five other root seeds, an hour: reference/laptop/seeds.json
	@$(CHECK) && PYTHONPATH=src .venv/bin/python scripts/run_seeds.py --out reference/laptop/seeds.json

test: .venv/ready  ## linters, types and tests
	@.venv/bin/pytest

elsewhere: .venv/ready  ## the tests that take minutes; CONTRIBUTING.md says which
	@.venv/bin/pip install -qq --disable-pip-version-check -c constraints.txt -e '.[elsewhere,kubernetes,slurm]'
	@.venv/bin/pytest -m elsewhere

torture: .venv/ready  ## runs killed, starved and damaged, an hour at most: counts in reference/robustness.json
	@PYTHONPATH=src .venv/bin/python tests/pipeline/torture.py --out reference/robustness.json

bench: .venv/ready  ## our speed beside the loop that a user would write
	@.venv/bin/python benchmarks/bench.py --out results/bench.json
	@echo 'bench   results/bench.json'

gpu: PYTHON = python3
gpu:  ## a CUDA device, checked in 8 minutes: no set-up, any Python that has PyTorch with CUDA
	@PYTHONPATH=src $(PYTHON) scripts/check_gpu.py --out results/gpu.json
	@echo 'gpu     results/gpu.json'

.venv/ready: constraints.txt pyproject.toml scripts/set_up.sh
	@sh scripts/set_up.sh '$(PYTHON)' '$(TORCH)' '$(WHEELHOUSE)' $(WITHOUT_CUDA)

# .venv/ready has the Python that .venv was made with, its release and the build of PyTorch, cpu or cuda. Where another
# Python or build is named, .venv is made anew; where none is, it stays.
MADE_WITH := $(shell cat .venv/ready 2>/dev/null)
ifneq ($(filter-out $(word 1,$(MADE_WITH)),$(PYTHON))$(filter-out $(word 3,$(MADE_WITH)),$(TORCH)),)
.PHONY: .venv/ready
endif

wheelhouse: .venv/ready  ## everything that .venv takes, with its build of PyTorch, for a machine without network: make paper WHEELHOUSE=…/wheelhouse
	@sh scripts/gather_wheels.sh wheelhouse $(WITHOUT_CUDA)
	@echo 'wheels  wheelhouse'

lock: .venv/ready  ## pylock.toml, the hashes of all files that constraints.txt leads to; needs uv
	@PYTHONPATH=src .venv/bin/python scripts/write_lock.py --out pylock.toml

container: TARGET = paper
container:  ## the paper in a container, or another target that makes results, TARGET=smoke; needs podman or docker, and no set-up
	@sh scripts/run_container.sh '$(TARGET)'
