# Hookswitch: what operators and developers run. Each target is a script of docker/ or tests/; `make` alone prints this list.
.PHONY: help up down logs demo test lint bench docs
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

up: ## build and start the whole stack, print how to use it (safe to run again)
	@docker/up.sh

down: ## stop the stack; data stays in its volume
	@docker/down.sh

logs: ## follow the services' logs
	@docker/logs.sh

demo: ## a whole call on the running stack: provision, call in, hear, press, and see what happened
	@tests/demo/run

test: ## build and run every test on a stack of its own (TEST="unit fuzz system sdk" to choose)
	@tests/run

lint: ## format, warnings, clang-tidy, layers, shell scripts, Kamailio's configuration, generated pages
	@tests/lint

bench: ## what a call costs, on a stack of its own
	@tests/bench/run

docs: ## make the generated pages of docs/ anew
	@tests/docs
