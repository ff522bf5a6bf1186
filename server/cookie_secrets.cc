#include "server/cookie_secrets.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "base/check.h"

namespace steerd::server {

namespace {

constexpr std::size_t kDigits = 2 * sizeof(dns::CookieSecret);
constexpr std::size_t kMostOctets = 4096;  // two lines and some words about them

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r";
    const auto first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos
               ? std::string_view{}
               : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<dns::CookieSecret> parse_secret(std::string_view digits) {
    if (digits.size() != kDigits) {
        return std::nullopt;
    }
    dns::CookieSecret secret{};
    for (std::size_t i = 0; i < secret.size(); ++i) {
        const char* const from = digits.data() + 2 * i;
        const auto [end, error] = std::from_chars(from, from + 2, secret[i], 16);
        if (error != std::errc{} || end != from + 2) {
            return std::nullopt;
        }
    }
    return secret;
}

/// The whole file; nullopt with a problem.
std::optional<std::string> read_text(const std::filesystem::path& file, base::Problems& problems) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kMostOctets + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad()) {
        problems.error({file.string()},
                       fmt::format("cannot be read: {}", std::generic_category().message(errno)));
        return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMostOctets) {
        problems.error(
            {file.string()},
            fmt::format("is no file of cookie secrets: it has more than {} octets", kMostOctets));
        return std::nullopt;
    }
    return text;
}

void warn_of_readers(const std::filesystem::path& file, base::Problems& problems) {
    struct stat s {};

    if (::stat(file.c_str(), &s) == 0 && (s.st_mode & S_IROTH) != 0) {
        problems.warning({file.string()},
                         "everyone on this machine may read these secrets; chmod o-r");
    }
}

}  // namespace

std::optional<dns::CookieSecrets> read_cookie_secrets(const std::filesystem::path& file,
                                                      base::Problems& problems) {
    const auto text = read_text(file, problems);
    if (!text) {
        return std::nullopt;
    }
    warn_of_readers(file, problems);
    const std::size_t errors_before = problems.error_count();
    dns::CookieSecrets out;
    std::string_view rest = *text;
    for (std::uint32_t line = 1; !rest.empty(); ++line) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto entry = trimmed(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (entry.empty() || entry.front() == '#' || entry.front() == ';') {
            continue;
        }
        const auto secret = parse_secret(entry);
        if (!secret) {  // without its text: a log is no place for it
            problems.error({file.string(), line, 1},
                           fmt::format("a cookie secret has {} hexadecimal digits", kDigits));
        } else if (out.count == dns::CookieSecrets::kMost) {
            problems.error({file.string(), line, 1},
                           fmt::format("more than {} cookie secrets: the one that makes cookies, "
                                       "and one that is accepted beside it",
                                       dns::CookieSecrets::kMost));
        } else {
            out.secrets[out.count++] = *secret;
        }
    }
    if (problems.error_count() > errors_before) {
        return std::nullopt;
    }
    if (out.count == 0) {
        problems.error({file.string()}, "has no cookie secret; `openssl rand -hex 16` makes one");
        return std::nullopt;
    }
    return out;
}

dns::CookieSecrets random_cookie_secrets() {
    dns::CookieSecrets out;
    out.count = 1;
    auto& secret = out.secrets[0];
    CHECK(::getrandom(secret.data(), secret.size(), 0) ==
          static_cast<ssize_t>(secret.size()));  // so few octets come whole
    return out;
}

}  // namespace steerd::server
