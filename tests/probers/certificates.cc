#include "certificates.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>

namespace steerd::probers::test {

namespace {

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

X509* make(const std::string& common_name, EVP_PKEY* key, int serial, int from_days, int to_days) {
    X509* out = X509_new();
    X509_set_version(out, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out), serial);
    X509_time_adj_ex(X509_getm_notBefore(out), from_days, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(out), to_days, 0, nullptr);
    X509_set_pubkey(out, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    return out;
}

void write(const std::filesystem::path& file, X509* certificate) {
    std::FILE* out = std::fopen(file.c_str(), "we");
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(PEM_write_X509(out, certificate), 1);
    std::fclose(out);
}

}  // namespace

Certificates::Certificates(const std::string& authority) : key_(EVP_EC_gen("P-256")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "steerd-certs-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::FILE* out = std::fopen(key_file().c_str(), "we");
    EXPECT_EQ(PEM_write_PrivateKey(out, key_, nullptr, nullptr, 0, nullptr, nullptr), 1);
    std::fclose(out);
    ca_ = make(authority, key_, 1, -100, 1000);
    X509_set_issuer_name(ca_, X509_get_subject_name(ca_));
    add_extension(ca_, ca_, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(ca_, key_, EVP_sha256());
    write(ca_file(), ca_);
}

Certificates::~Certificates() {
    X509_free(ca_);
    EVP_PKEY_free(key_);
    std::filesystem::remove_all(folder_);
}

std::string Certificates::issue(const std::string& names, int from_days, int to_days) {
    const int serial = ++count_ + 1;
    X509* out = make("endpoint", key_, serial, from_days, to_days);
    X509_set_issuer_name(out, X509_get_subject_name(ca_));
    add_extension(out, ca_, NID_subject_alt_name, names);
    X509_sign(out, key_, EVP_sha256());
    const auto file = folder_ / ("cert" + std::to_string(serial) + ".pem");
    write(file, out);
    X509_free(out);
    return file.string();
}

}  // namespace steerd::probers::test
