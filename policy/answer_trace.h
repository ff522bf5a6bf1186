// Fills a Trace from the values that an answer was made of. Allocates: only when somebody asked for
// a trace. Thread rule: pure.
#pragma once

#include "policy/decide.h"
#include "policy/trace.h"

namespace steerd::policy {

/// Who asked and where that is.
void trace_client(const Plan& plan, const base::IpPrefix& client, Trace& trace);
/// The steps of a decision, estimates included. REQUIRES: trace_client() before.
void trace_decision(const DecideInput& input, const Decision& decision, Trace& trace);

}  // namespace steerd::policy
