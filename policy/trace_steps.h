// The walk of a decision in words: one Step for each route on the way from the root to what was
// chosen, with every member's health, share and reason. Reads the choices that the same Evaluator
// makes; decides nothing. Allocates: for explain and tests alone. Thread rule: pure.
#pragma once

#include <vector>

#include "policy/decide_resolve.h"
#include "policy/trace.h"

namespace steerd::policy {

void explain_steps(const DecideInput& input, const Resolution& resolution, std::vector<Step>& out);

}  // namespace steerd::policy
