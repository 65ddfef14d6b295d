// What signatures and handshakes with a key cost a program that uses OpenSSL; its configuration
// (OPENSSL_CONF) may load the provider.
//
//   provider-load signatures KEY
//   provider-load handshakes KEY CERTIFICATE SERVERS_KEY SERVERS_CERTIFICATE
//   provider-load held KEY    # a global object holds the key, to the end of the process
//
// Each line of stdin is a count; the answer is a line of JSON: the count, the nanoseconds of all,
// of the median and of the slowest hundredth, and the bytes of the heap that are in use then.
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

template <auto kFree>
struct Free {
  void operator()(auto* object) const { kFree(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Tls = std::unique_ptr<SSL, Free<SSL_free>>;
using TlsContext = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "provider-load: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

Key LoadKey(const char* file) {
  const std::unique_ptr<BIO, Free<BIO_free>> stream(BIO_new_file(file, "r"));
  if (stream == nullptr) Fail(file);
  Key key(PEM_read_bio_PrivateKey(stream.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) Fail(file);
  return key;
}

// Destroyed after OpenSSL has ended, which is first used later than this is made.
Key held;

// As a TLS client does, with a transcript hash of its own each time.
void SignOnce(EVP_PKEY* key, uint32_t number) {
  std::string content = std::string(64, ' ') + "TLS 1.3, client CertificateVerify";
  content.push_back('\0');
  content.append(32, static_cast<char>(number));
  const Digest digest(EVP_MD_CTX_new());
  const char* name = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : "SHA256";
  unsigned char signature[1024];
  size_t size = sizeof(signature);
  if (EVP_DigestSignInit_ex(digest.get(), nullptr, name, nullptr, nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(digest.get(), signature, &size,
                     reinterpret_cast<const unsigned char*>(content.data()), content.size()) != 1) {
    Fail("sign");
  }
}

TlsContext MakeContext(const SSL_METHOD* method, const char* key, const char* certificate) {
  TlsContext context(SSL_CTX_new(method));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_use_certificate_chain_file(context.get(), certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key, SSL_FILETYPE_PEM) != 1) {
    Fail(key);
  }
  return context;
}

bool IsWaiting(SSL* tls, int result) {
  return result != 1 && SSL_get_error(tls, result) == SSL_ERROR_WANT_READ;
}

// Client and server in one program, without a network.
void ShakeHands(SSL_CTX* client_context, SSL_CTX* server_context) {
  const Tls client(SSL_new(client_context)), server(SSL_new(server_context));
  BIO *near = nullptr, *far = nullptr;
  if (BIO_new_bio_pair(&near, 1 << 16, &far, 1 << 16) != 1) Fail("streams");
  SSL_set_bio(client.get(), near, near);
  SSL_set_bio(server.get(), far, far);
  for (int done = 0; done < 2;) {
    const int by_client = SSL_connect(client.get());
    const int by_server = SSL_accept(server.get());
    done = (by_client == 1) + (by_server == 1);
    if ((by_client != 1 && !IsWaiting(client.get(), by_client)) ||
        (by_server != 1 && !IsWaiting(server.get(), by_server))) {
      Fail("handshake");
    }
  }
  const std::unique_ptr<X509, Free<X509_free>> proved(SSL_get1_peer_certificate(server.get()));
  if (proved == nullptr) Fail("the client proved nothing");
}

// Runs the workload as often as each line of stdin says.
template <typename Workload>
int Serve(Workload&& run) {
  for (size_t count = 0; std::cin >> count && count > 0;) {
    std::vector<long> taken(count);
    uint32_t number = 0;
    for (long& nanoseconds : taken) {
      const auto begin = Clock::now();
      run(number++);
      nanoseconds = std::chrono::nanoseconds(Clock::now() - begin).count();
    }
    std::sort(taken.begin(), taken.end());
    const long total = std::accumulate(taken.begin(), taken.end(), 0L);
    const long middle = taken[count / 2], slow = taken[count * 99 / 100];
    taken = std::vector<long>();  // the heap as it was
    std::printf("{\"count\": %zu, \"total\": %ld, \"p50\": %ld, \"p99\": %ld, \"heap\": %zu}\n",
                count, total, middle, slow, mallinfo2().uordblks);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "signatures" && argc == 3) {
    const Key key = LoadKey(argv[2]);
    return Serve([&](uint32_t number) { SignOnce(key.get(), number); });
  }
  if (what == "held" && argc == 3) {
    held = LoadKey(argv[2]);
    SignOnce(held.get(), 0);
    return 0;
  }
  if (what == "handshakes" && argc == 6) {
    const TlsContext client = MakeContext(TLS_client_method(), argv[2], argv[3]);
    const TlsContext server = MakeContext(TLS_server_method(), argv[4], argv[5]);
    // Whose certificate it is does not matter here; that the client has the key does.
    SSL_CTX_set_verify(server.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       [](int, X509_STORE_CTX*) { return 1; });
    return Serve([&](uint32_t) { ShakeHands(client.get(), server.get()); });
  }
  std::fprintf(stderr,
               "usage: provider-load signatures KEY | handshakes KEY CERTIFICATE SERVERS_KEY "
               "SERVERS_CERTIFICATE | held KEY\n");
  return 2;
}
