package main

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"log"
	"os"

	"github.com/gradbook/gradbook/dl"
	"github.com/gradbook/gradbook/dl/data"
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func main() {
	model := must(dl.Load(os.Args[1]))
	file := must(os.Open(os.Args[2]))
	picture := must(png.Decode(file)).(*image.Gray)
	x := must(data.FromFlat(picture.Pix, []int{28, 28, 1}, []uint8(nil), nil))
	scores := must(model.Predict(context.Background(), x.Map(data.Rescale(1/255.0))))
	fmt.Println("class", must(dl.ArgMax(scores))[0])
}
