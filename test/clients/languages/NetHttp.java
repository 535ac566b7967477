import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** Java's own client, which LangChain4j and Spring AI use; as it comes it offers HTTP/2 with its first request. */
public class NetHttp {
    /** Who leaves does so once this was said. */
    private static final String ENOUGH = "Hel";

    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (String line : Files.readAllLines(Path.of(args[1]))) {
            String[] question = line.split("\t");
            byte[] body = Base64.getDecoder().decode(question[2]);
            BodyPublisher content = question[1].equals("pieces")
                    ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))
                    : BodyPublishers.ofByteArray(body);
            HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + "/v1/chat/completions"))
                    .header("Content-Type", "application/json")
                    .header("Authorization", "Bearer sk-own")
                    .POST(content)
                    .build();
            HttpResponse<InputStream> answer = client.send(request, BodyHandlers.ofInputStream());
            byte[] said;
            try (InputStream stream = answer.body()) {
                said = question[1].equals("leave") ? upToEnough(stream) : stream.readAllBytes();
            }
            System.out.println(String.join("\t", question[0], Integer.toString(answer.statusCode()),
                    Base64.getEncoder().encodeToString(said)));
        }
    }

    private static byte[] upToEnough(InputStream stream) throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        while (!said.toString().contains(ENOUGH)) {
            said.writeBytes(stream.readNBytes(1));
        }
        return said.toByteArray();
    }
}
