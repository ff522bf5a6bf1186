// GET /: the dashboard, and GET /page/NAME: its style, scripts and picture (admin/page/). The page
// asks the API like everyone else; nothing about the server is written into it here, so that there
// is nothing to escape. Its policy lets it load from this very server only and forbids scripts and
// styles within the text (W3C Content Security Policy 3): what a configuration or a request names
// can be shown and never run. Thread rule: see routes.h.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "admin/page_files.h"
#include "admin/routes.h"
#include "geo/outline.h"

namespace steerd::admin {

namespace {

constexpr std::string_view kIndex = "index.html";
/// Where the page wants the coasts of the world.
constexpr std::string_view kCoasts = "@COASTS@";
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

constexpr std::array<std::pair<std::string_view, const char*>, 4> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
}};

const char* type_of(std::string_view name) {
    const auto found =
        std::ranges::find_if(kTypes, [&](const auto& type) { return name.ends_with(type.first); });
    return found == kTypes.end() ? "application/octet-stream" : found->second;
}

void send(std::string_view name, const Reply& reply) {
    const auto file = std::ranges::find(page_files(), name, &PageFile::name);
    if (file == page_files().end()) {
        reply(failure(404, "the dashboard has no file of that name"));
        return;
    }
    Response response;
    response.type = type_of(name);
    response.body = file->text;
    if (const auto at = response.body.find(kCoasts); at != std::string::npos) {
        response.body.replace(at, kCoasts.size(), geo::world_outline());
    }
    response.headers.emplace_back("Content-Security-Policy", kPolicy);
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    reply(std::move(response));
}

}  // namespace

void get_page(const Call&, const Reply& reply) { send(kIndex, reply); }

void get_page_file(const Call& call, const Reply& reply) {
    // What the page loads stands beside it: from anywhere else than "/" it would find nothing.
    send(call.rest == kIndex ? std::string_view() : std::string_view(call.rest), reply);
}

}  // namespace steerd::admin
