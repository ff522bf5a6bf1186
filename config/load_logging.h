// [server] query_log and dnstap: what is written of queries. Thread rule: one thread.
#pragma once

#include "config/draft.h"
#include "config/toml_reader.h"

namespace steerd::config {

void read_query_log(Draft& draft, TomlTable& table);
void read_dnstap(TomlTable& table, ServerConfig& server);

}  // namespace steerd::config
