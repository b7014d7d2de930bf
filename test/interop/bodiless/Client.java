// Usage: Client (<method> <url> <token> <none or empty>)...   Prints the status of each request, a line each.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

class Client {
  public static void main(String[] args) throws Exception {
    // By default it offers HTTP/2 in an Upgrade of its first request.
    HttpClient client = HttpClient.newHttpClient();
    for (int i = 0; i + 3 < args.length; i += 4) {
      var body = args[i + 3].equals("empty") ? BodyPublishers.ofString("") : BodyPublishers.noBody();
      var request = HttpRequest.newBuilder(URI.create(args[i + 1]))
          .header("Authorization", "Bearer " + args[i + 2])
          .method(args[i], body)
          .build();
      System.out.println(client.send(request, BodyHandlers.discarding()).statusCode());
    }
  }
}
