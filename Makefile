# The commands of this repository. What each does is told in the first lines of its script in deployment/local/.
.PHONY: help demo test check bench down

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

demo: ## install, build, start everything and make a montage of real films; leaves the services up
	@deployment/local/demo/run.sh

test: ## everything that proves the product: checks, unit tests, end-to-end tests
	@deployment/local/test.sh

check: ## formatting, lints, licences and dependencies
	@deployment/local/check.sh

bench: ## what a montage costs beside the usual methods, and what a library of a million montages an import of 100,000 rows and a replay cost
	@deployment/local/bench.sh

down: ## stop all that runs from this tree
	@deployment/local/stack.sh down
