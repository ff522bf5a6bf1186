// steerd latency import: exports of round trips to a latency.csv (product.md §2; docs/latency.md).
#include <fmt/format.h>

#include <charconv>
#include <string>

#include "cli/command.h"
#include "cli/files.h"
#include "geo/latency_import.h"

namespace steerd::cli {

namespace {

std::size_t number_of(const Args& args, std::string_view option, std::size_t otherwise,
                      std::size_t most) {
    const auto text = args.value(option);
    if (!text) {
        return otherwise;
    }
    std::size_t value = 0;
    const char* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value < 1 || value > most) {
        throw UsageError(fmt::format("{} must be 1..{}, got \"{}\"", option, most, *text));
    }
    return value;
}

}  // namespace

int run_latency(const Args& args) {
    const auto& words = args.positional();
    if (words.empty() || words[0] != "import") {
        throw UsageError("wants: latency import CSV...");
    }
    if (words.size() < 2) {
        throw UsageError("no file to import (- is standard input)");
    }
    geo::LatencyImportOptions options;
    options.prefix4 = static_cast<unsigned>(number_of(args, "--prefix4", options.prefix4, 32));
    options.prefix6 = static_cast<unsigned>(number_of(args, "--prefix6", options.prefix6, 128));
    options.min_samples = number_of(args, "--min-samples", options.min_samples, 1'000'000'000);
    options.client = args.value("--client").value_or("");
    options.region = args.value("--region").value_or("");
    options.rtt = args.value("--rtt").value_or("");
    geo::LatencyImport import(options);
    base::Problems problems;
    for (std::size_t i = 1; i < words.size(); ++i) {
        import.add(read_file(words[i]), words[i], problems);
    }
    for (const auto& problem : problems.all()) {
        fmt::print(stderr, "{}\n", problem.text());
    }
    if (problems.has_errors()) {
        return kFailed;
    }
    const std::size_t samples = import.samples();
    const std::string table = import.take();
    if (import.rows() == 0) {
        throw Failure(samples == 0 ? "nothing to write: there are no samples"
                                   : "nothing to write: no prefix has enough samples");
    }
    if (const auto file = args.value("--output"); file && *file != "-") {
        write_file(*file, table);
    } else {
        fmt::print("{}", table);
    }
    fmt::print(stderr, "{} sample{}, {} row{}\n", samples, samples == 1 ? "" : "s", import.rows(),
               import.rows() == 1 ? "" : "s");
    return kOk;
}

}  // namespace steerd::cli
