#include "config/load.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unordered_set>

#include "config/check.h"
#include "config/draft.h"
#include "config/toml_document.h"
#include "config/toml_reader.h"

namespace steerd::config {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// The text, or why it cannot be read.
base::Result<std::string, std::string> read_file(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_fifo(path, ignored)) {
        return base::Err{std::string("is not a regular file")};  // reading it could wait for ever
    }
    const File file(std::fopen(path.c_str(), "rbe"), &std::fclose);
    if (!file) {
        return base::Err{"cannot be opened: " + std::string(std::strerror(errno))};
    }
    std::string text;
    std::vector<char> chunk(std::size_t{64} << 10);
    // One octet more than is allowed is enough for parse_toml to refuse it.
    while (text.size() <= kMaxTomlSize) {
        const auto size = std::fread(chunk.data(), 1, chunk.size(), file.get());
        text.append(chunk.data(), size);
        if (size < chunk.size()) {
            break;
        }
    }
    if (std::ferror(file.get()) != 0) {
        return base::Err{"cannot be read: " + std::string(std::strerror(errno))};
    }
    return text;
}

}  // namespace

Loaded load(const std::filesystem::path& file) {
    auto text = read_file(file);
    if (!text) {
        Loaded loaded;
        loaded.problems.error({file.string(), 0, 0}, text.error());
        return loaded;
    }
    return load_text(*text, file);
}

Loaded load_text(std::string_view text, const std::filesystem::path& file) {
    Draft draft;
    draft.source = {file.string(), file.parent_path()};
    draft.model->file = file;
    const auto document = parse_toml(text, draft.source.file);
    if (!document) {
        Loaded loaded;
        loaded.problems.error(document.error().at, document.error().message);
        return loaded;
    }
    TomlTable root(*document, {}, draft.source, draft.problems);
    declare_names(draft, root);
    load_server(draft, root);
    load_admin(draft, root);
    load_geo(draft, root);
    load_regions(draft, root);
    load_probes(draft, root);
    load_endpoints(draft, root);
    load_routes(draft, root);
    load_zones(draft, root);
    root.finish();
    check(draft);

    Loaded loaded;
    base::Problems all = draft.problems;  // a steer table's own stop their zone alone
    for (const auto& zone : draft.model->zones) {
        all.append(zone.steer_problems);
    }
    loaded.problems = in_file_order(all);
    loaded.readable = std::move(draft.model);
    if (!draft.problems.has_errors()) {
        loaded.model = loaded.readable;
    }
    return loaded;
}

std::vector<EndpointId> endpoints_under(const Model& model, RouteId route) {
    std::vector<EndpointId> found;
    std::unordered_set<std::size_t> routes{index(route)};
    std::unordered_set<std::size_t> endpoints;
    std::vector<std::pair<RouteId, std::size_t>> path{{route, 0}};
    while (!path.empty()) {
        auto& [id, next] = path.back();
        const auto& members = model.route(id).members;
        if (next == members.size()) {
            path.pop_back();
            continue;
        }
        const auto& to = members[next++].to;
        if (const auto* endpoint = std::get_if<EndpointId>(&to)) {
            if (endpoints.insert(index(*endpoint)).second) {
                found.push_back(*endpoint);
            }
        } else if (routes.insert(index(std::get<RouteId>(to))).second) {
            path.emplace_back(std::get<RouteId>(to), 0);
        }
    }
    return found;
}

}  // namespace steerd::config
