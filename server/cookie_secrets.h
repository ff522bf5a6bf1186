// The file of cookie secrets: one secret of 32 hexadecimal digits on a line, the first makes
// cookies, a second is accepted beside it while secrets are exchanged (RFC 9018 §5). The same form
// as NSD's, and what BIND's cookie-secret takes, so servers of one name can share it. Blank lines
// and lines that begin with # or ; are passed over. Blocks on the file. Thread rule: load plane.
#pragma once

#include <filesystem>
#include <optional>

#include "base/problem.h"
#include "dns/cookie.h"

namespace steerd::server {

/// nullopt when `problems` got an error. A file that others may read is a warning.
[[nodiscard]] std::optional<dns::CookieSecrets> read_cookie_secrets(
    const std::filesystem::path& file, base::Problems& problems);

/// One secret that nobody else has.
[[nodiscard]] dns::CookieSecrets random_cookie_secrets();

}  // namespace steerd::server
