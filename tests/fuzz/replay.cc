// Runs a fuzz target over files: what the fuzzers found worth keeping is run again by the compiler
// and sanitizers of the tests. Each argument is a file, or a folder of files; none at all is an
// error, so that an empty corpus cannot pass. Thread rule: one thread.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "target.h"

int main(int argc, char** argv) {
    std::vector<std::filesystem::path> files;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            files.emplace_back(argv[i]);
            continue;
        }
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        std::ifstream from(file, std::ios::binary);
        if (!from) {
            fmt::print(stderr, "cannot read {}\n", file.string());
            return 1;
        }
        const std::string octets((std::istreambuf_iterator<char>(from)), {});
        // A copy of the exact size: a read past the end is seen.
        const std::vector<std::uint8_t> exact(octets.begin(), octets.end());
        fmt::print("{}\n", file.filename().string());
        std::fflush(stdout);  // so that the last line names a file that ends the process
        LLVMFuzzerTestOneInput(exact.data(), exact.size());
    }
    fmt::print("{} files\n", files.size());
    return files.empty() ? 1 : 0;
}
